import ApusGraph
import ApusRuntime
import CKernels

/// Appends nodes to a function, with every value's type at every sample of the symbolic dimensions.
final class Emitter {
    let builder: GraphBuilder
    private(set) var samples: DimensionSamples
    var graph: Graph { builder.graph }
    /// What may still be made; nil: as much as is asked for.
    private let budget: ImportBudget?
    /// Whether what is built is run at once.
    private let computes: Bool
    /// Bytes of the values made.
    private var bytesMade = 0
    /// Values by their types, for the operators that take a shape from one.
    private(set) var terms: [Term] = []
    /// How many symbolic dimensions have bounds that the caller chose; those that runs measure follow.
    private let declaredDimensions: Int
    /// What `range` made, by extents.
    var rangesByExtents: [[Int]: Term] = [:]

    /// - Parameter measures: the function may have extents that data decide.
    init(
        _ graph: Graph, function: String, _ budget: ImportBudget? = nil, computes: Bool = false, measures: Bool = false
    ) {
        self.budget = budget
        self.computes = computes
        declaredDimensions = graph.dimensions.count
        builder = GraphBuilder(graph, function: function)
        samples = DimensionSamples(graph.dimensions, measures: measures)
    }

    /// An input; all come before the first node.
    func input(_ name: String, _ type: TensorType, contract: InputContract? = nil) throws(ApusError) -> Term {
        try type.resolved(graph.maxima).checkExtents()
        let value = try builder.input(name, type, contract: contract)
        var types: [TensorType] = []
        for sample in samples.values { types.append(try type.resolved(sample)) }
        return record(Term(value: value, types: types))
    }

    /// Declares an output. An extent that is made of symbolic dimensions becomes one that the run measures.
    func output(_ name: String, _ term: Term) throws(ApusError) {
        var term = term
        var shape = Shape()
        for axis in 0..<term.rank {
            if declaredExtent(term.extents(axis)) == nil {
                let count = try extentScalar(term.extents(axis), .i64)
                term = try moveAxis(try trim(try moveAxis(term, from: axis, to: 0), count), from: 0, to: axis)
                shape.append(-graph.dimensions.count)
            } else {
                shape.append(declaredExtent(term.extents(axis))!)
            }
        }
        builder.output(name, term.value, type: TensorType(term.dtype, shape, quantization: term.types[0].quantization))
    }

    /// An extent as declared: a number, or a symbol; nil for one that is made of some.
    private func declaredExtent(_ extents: [Int]) -> Int? {
        if extents.allSatisfy({ $0 == extents[0] }) { return extents[0] }
        return graph.dimensions.indices.first { symbol in samples.values.map { $0[symbol] } == extents }.map { -1 - $0 }
    }

    func constant(_ constant: Constant) -> Term {
        graph.constants.append(constant)
        let value = builder.constant(graph.constants.count - 1)
        return Term(value: value, types: [constant.type].spread(over: samples.count))
    }

    /// Appends a node and returns its outputs.
    func emit(_ op: Operator, _ inputs: [Term]) throws(ApusError) -> [Term] {
        let values = try builder.node(op, inputs.map { $0.value })
        for value in values { try value.type.checkExtents() }
        try budget?.spendNode()
        if computes, let budget { try spend(budget, op, inputs.map { $0.value.type }, values.map { $0.type }) }
        var types = values.map { [$0.type] }
        for sample in 1..<max(1, samples.count) {
            let outputs: [TensorType]
            do throws(ApusError) {
                outputs = try op.checkedOutputTypes(
                    inputs.map { $0.types[sample] }, dimensions: samples.values[sample], node: builder.prefix)
            } catch {
                throw self.error(error, atSample: sample)
            }
            for (i, type) in outputs.enumerated() { types[i].append(type) }
        }
        return zip(values, types).map { record(Term(value: $0, types: $1)) }
    }

    /// With the values of the symbolic dimensions at which it happens, and how to change their bounds.
    func error(_ error: ApusError, atSample sample: Int) -> ApusError {
        let values = graph.dimensions.prefix(declaredDimensions).enumerated().filter { $1.minimum < $1.maximum }
            .map { "\($1.name)=\(samples.values[sample][$0])" }
        guard !values.isEmpty else { return error }
        return ApusError(error.code, "\(error.message), with \(values.joined(separator: ", ")); \(Emitter.dimensionHint)")
    }

    /// How to change what extents may be.
    static let dimensionHint = "--dim NAME=LOW:HIGH sets the bounds of a dimension, --dim NAME=OTHER makes two equal"

    /// What running a node takes.
    private func spend(
        _ budget: ImportBudget, _ op: Operator, _ inputs: [TensorType], _ outputs: [TensorType]
    ) throws(ApusError) {
        let bytes = outputs.reduce(0) { $0 + $1.byteSize }
        bytesMade += bytes
        guard bytesMade <= 4 * budget.valueBytes else {
            throw .unsupported("known values of \(bytesMade) bytes, wanted at most \(4 * budget.valueBytes)")
        }
        let plan = try op.chosenKernels(KernelSite(inputs: inputs, outputs: outputs, isa: CK_ISA_REFERENCE, lanes: 1))
        guard plan.workspaceBytes <= budget.valueBytes else {
            throw .unsupported("a workspace of \(plan.workspaceBytes) bytes, wanted at most \(budget.valueBytes)")
        }
        try budget.spend(operations: plan.operations + bytes)
    }

    /// Appends a node with one output.
    func callAsFunction(_ op: Operator, _ inputs: Term...) throws(ApusError) -> Term { try emit(op, inputs)[0] }

    /// A state of a type, which stands for a value that could not be computed, so that what follows can be checked.
    func placeholder(_ type: TensorType) throws(ApusError) -> Term { try state("", type, .other) }

    /// A state of a type, zeros at first unless it begins with a constant.
    func state(_ name: String, _ type: TensorType, _ role: State.Role, initial: Constant? = nil) throws(ApusError) -> Term {
        graph.states.append(State(name, try type.resolved(graph.maxima), role, initial: initial))
        var types: [TensorType] = []
        for sample in samples.values { types.append(try type.resolved(sample)) }
        return Term(value: builder.state(graph.states.count - 1), types: types)
    }

    /// The first elements of x, as many as `count`, a scalar of i64, says at run time.
    func trim(_ x: Term, _ count: Term) throws(ApusError) -> Term {
        guard graph.dimensions.count < 256 else { throw .unsupported("more than 256 symbolic dimensions") }
        let extents = x.extents(0)
        if let sample = extents.indices.first(where: { extents[$0] > extents[0] }) {
            throw error(
                .unsupported("an extent of \(extents[sample]), wanted at most the \(extents[0]) of the largest dimensions"),
                atSample: sample)
        }
        let taken = Set(graph.dimensions.map { $0.name }), name = builder.prefix + "count"
        let free = taken.contains(name) ? (2...).lazy.map { "\(name)_\($0)" }.first { !taken.contains($0) }! : name
        graph.dimensions.append(samples.append(name: free, limits: extents))
        return try self(Trim(dimension: graph.dimensions.count - 1), x, count)
    }

    private func record(_ term: Term) -> Term {
        if !term.isFixed { terms.append(term) }
        return term
    }

    // MARK: Evaluation

    /// Runs what was built and returns the values of terms. The function has no inputs.
    func evaluate(_ terms: [Term]) throws(ApusError) -> [Constant] {
        for (i, term) in terms.enumerated() { try output("output_\(i)", term) }
        builder.finish()
        var options = SessionOptions()
        options.isa = CK_ISA_REFERENCE
        let session = try Session(try ApusRuntime.Model(graph), options)
        defer { session.destroy() }
        try session.run()
        var results: [Constant] = []
        for i in terms.indices {
            let type = try session.type(.output, function: 0, i)
            try budget?.spend(bytes: type.byteSize)
            let storage = HeapStorage(size: type.byteSize)
            try session.getOutput(i, UnsafeMutableRawBufferPointer(start: storage.memory, count: type.byteSize))
            results.append(Constant(builder.prefix, type, storage))
        }
        return results
    }
}
