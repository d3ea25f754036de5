import ApusGraph
import ApusRuntime
import CKernels

/// Appends nodes to a function, with every value's type at every sample of the symbolic dimensions.
final class Emitter {
    let builder: GraphBuilder
    let samples: DimensionSamples
    var graph: Graph { builder.graph }
    /// The bytes of the largest value that may be made; a file decides what is computed at conversion.
    private let sizeLimit: Int
    /// Values by their types, for the operators that take a shape from one.
    private(set) var terms: [Term] = []
    /// What `places` made, by extents.
    var placesByExtents: [[Int]: Term] = [:]

    init(_ graph: Graph, function: String, sizeLimit: Int = Int.max) {
        self.sizeLimit = sizeLimit
        builder = GraphBuilder(graph, function: function)
        samples = DimensionSamples(graph.dimensions)
    }

    /// An input; all come before the first node.
    func input(_ name: String, _ type: TensorType) throws(ApusError) -> Term {
        let value = try builder.input(name, type)
        var types: [TensorType] = []
        for sample in samples.values { types.append(try type.resolved(sample)) }
        return record(Term(value: value, types: types))
    }

    func constant(_ constant: Constant) -> Term {
        graph.constants.append(constant)
        let value = builder.constant(graph.constants.count - 1)
        return Term(value: value, types: [constant.type].spread(over: samples.count))
    }

    /// Appends a node and returns its outputs.
    func emit(_ op: Operator, _ inputs: [Term]) throws(ApusError) -> [Term] {
        let values = try builder.node(op, inputs.map { $0.value })
        for value in values where value.type.byteSize > sizeLimit {
            throw .unsupported("a known value of \(value.type), wanted at most \(sizeLimit) bytes")
        }
        var types = values.map { [$0.type] }
        for sample in 1..<max(1, samples.count) {
            let outputs = try op.checkedOutputTypes(inputs.map { $0.types[sample] }, node: builder.prefix)
            for (i, type) in outputs.enumerated() { types[i].append(type) }
        }
        return zip(values, types).map { record(Term(value: $0, types: $1)) }
    }

    /// Appends a node with one output.
    func callAsFunction(_ op: Operator, _ inputs: Term...) throws(ApusError) -> Term { try emit(op, inputs)[0] }

    /// A state of a type, which stands for a value that could not be computed, so that what follows can be checked.
    func placeholder(_ type: TensorType) throws(ApusError) -> Term {
        graph.states.append(State("", try type.resolved(graph.maxima), .other))
        var types: [TensorType] = []
        for sample in samples.values { types.append(try type.resolved(sample)) }
        return Term(value: builder.state(graph.states.count - 1), types: types)
    }

    private func record(_ term: Term) -> Term {
        if !term.isFixed { terms.append(term) }
        return term
    }

    // MARK: Evaluation

    /// Runs what was built and returns the values of terms. The function has no inputs.
    func evaluate(_ terms: [Term]) throws(ApusError) -> [Constant] {
        for (i, term) in terms.enumerated() { builder.output("output_\(i)", term.value) }
        builder.finish()
        var options = SessionOptions()
        options.isa = CK_ISA_REFERENCE
        let session = try Session(try ApusRuntime.Model(graph), options)
        defer { session.destroy() }
        session.run()
        var results: [Constant] = []
        for (i, term) in terms.enumerated() {
            let type = term.types[0]
            let storage = HeapStorage(size: type.byteSize)
            try session.getOutput(i, UnsafeMutableRawBufferPointer(start: storage.memory, count: type.byteSize))
            results.append(Constant(builder.prefix, type, storage))
        }
        return results
    }
}
