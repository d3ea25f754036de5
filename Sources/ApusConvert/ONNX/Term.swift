import ApusGraph

/// A value of the graph under construction, with its type for every sample of the symbolic dimensions.
struct Term {
    let value: Value
    /// One per sample; the first has every dimension at its largest.
    let types: [TensorType]

    var dtype: DType { types[0].dtype }
    var rank: Int { types[0].shape.rank }
    /// With every symbolic dimension at its largest.
    var shape: Shape { types[0].shape }
    var shapes: [Shape] { types.map { $0.shape } }
    /// Whether no symbolic dimension decides the shape.
    var isFixed: Bool { types.allSatisfy { $0.shape == shape } }

    /// The extent along an axis, per sample.
    func extents(_ axis: Int) -> [Int] { types.map { $0.shape[axis] } }

    func isFixed(_ axis: Int) -> Bool { extents(axis).allSatisfy { $0 == shape[axis] } }

    /// The extent along an axis that no symbolic dimension decides.
    func extent(_ axis: Int) throws(ApusError) -> Int {
        guard (0..<rank).contains(axis) else { throw .shape("axis \(axis) of \(shape)") }
        guard isFixed(axis) else {
            throw .unsupported("extent \(shape[axis]) along axis \(axis) is symbolic, wanted a fixed one")
        }
        return shape[axis]
    }

    /// The number of elements that no symbolic dimension decides.
    func count() throws(ApusError) -> Int {
        guard isFixed else { throw .unsupported("shape \(shape) is symbolic, wanted a fixed one") }
        return shape.count
    }

    /// `axis` counted from the end when negative.
    func axis(_ axis: Int) throws(ApusError) -> Int { try shape.axis(axis) }
}

/// A value of the ONNX graph as far as it is known: its types, and its elements or the term that computes it.
///
/// What depends on nothing but constants and symbolic dimensions has known elements: one constant, or, where a symbolic
/// dimension decides them, one for each sample of the dimensions. A shape such as [batch, 3, 2·width] is known so.
struct ImportedValue {
    enum Content {
        case known([Constant])
        case term(Term)
    }

    let content: Content
    /// The graph's inputs that decide it and that a caller could fix.
    var sources: Set<String> = []

    init(_ constant: Constant) { content = .known([constant]) }
    init(_ term: Term) { content = .term(term) }

    /// One constant per sample; equal ones are one.
    init(samples: [Constant]) {
        let isOne = samples.dropFirst().allSatisfy { $0.type == samples[0].type && $0.bytes.elementsEqual(samples[0].bytes) }
        content = .known(isOne ? [samples[0]] : samples)
    }

    var known: [Constant]? {
        if case .known(let constants) = content { return constants }
        return nil
    }

    /// One or as many as there are samples.
    var types: [TensorType] {
        switch content {
        case .known(let constants): constants.map { $0.type }
        case .term(let term): term.types
        }
    }

    var dtype: DType { types[0].dtype }
    var shape: Shape { types[0].shape }
}

extension [TensorType] {
    /// One per sample, from one or as many.
    func spread(over samples: Int) -> [TensorType] { count == 1 ? [TensorType](repeating: self[0], count: samples) : self }
}
