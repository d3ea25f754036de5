import ApusGraph

/// A value of the ONNX graph as far as it is known: its types, and its elements or the term that computes it.
///
/// What depends on nothing but constants and symbolic dimensions has known elements: one constant, or, where a symbolic
/// dimension decides them, one for each sample of the dimensions. A shape such as [batch, 3, 2·width] is known so.
struct ImportedValue {
    enum Content {
        case known([Constant])
        case term(Term)
        case codes(Codes)
    }

    let content: Content
    /// Which codes it comes from, where that is known.
    var origin: CodeOrigin?
    /// The output of a node that it is, where symbolic dimensions decide its elements.
    var computation: (node: KnownNode, output: Int)?
    /// The graph's inputs that decide it and that a caller could fix.
    var sources: Set<String> = []

    init(content: Content) { self.content = content }
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
        case .codes(let codes): codes.term.shapes.map { TensorType(codes.isUnsigned ? .u8 : .i8, $0) }
        }
    }

    var dtype: DType { types[0].dtype }
    var shape: Shape { types[0].shape }
}

/// A node whose outputs are known, which can be computed in the graph all the same.
final class KnownNode {
    private let context: NodeContext
    private let mapping: OnnxOperator
    /// How many such nodes its inputs come from, one after another, at most.
    private let depth: Int
    private var terms: [Term]?
    private static let depthLimit = 64

    /// nil behind more nodes than are looked at.
    init?(_ context: NodeContext, _ mapping: OnnxOperator) {
        self.context = context
        self.mapping = mapping
        depth = context.inputs.reduce(0) { max($0, ($1?.computation?.node.depth ?? 0) + 1) }
        guard depth <= KnownNode.depthLimit else { return nil }
    }

    /// Its outputs as terms of these types; nil where they cannot be made.
    func term(_ output: Int, _ types: [TensorType]) -> Term? {
        if terms == nil {
            terms = []
            do throws(ApusError) {
                var list: [Term] = []
                for value in try mapping.map(context) { list.append(try context.term(value)) }
                terms = list
            } catch {}
        }
        guard output < terms!.count, terms![output].types == types else { return nil }
        return terms![output]
    }
}
