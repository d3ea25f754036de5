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

extension [TensorType] {
    /// One per sample, from one or as many.
    func spread(over samples: Int) -> [TensorType] { count == 1 ? [TensorType](repeating: self[0], count: samples) : self }
}
