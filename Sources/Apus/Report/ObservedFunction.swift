import ApusGraph
import ApusRuntime
import CKernels

/// A function of which every value can be read after a run.
final class ObservedFunction {
    /// Of the locals: inputs, then what the nodes make.
    let types: [TensorType]
    private let inputCount: Int
    private let session: Session

    /// `dimensions`: the values of the symbolic ones.
    init(
        _ graph: Graph, function index: Int, dimensions: [Int], isa: ck_isa? = nil, threads: Int = 1
    ) throws(ApusError) {
        let observed = Graph(graph.name)
        observed.constants = graph.constants
        observed.states = graph.states
        var function = graph.functions[index]
        let types = try ValidGraph(validating: graph).types(ofFunction: index, dimensions: dimensions)
        self.types = types
        inputCount = function.inputs.count
        for i in function.inputs.indices { function.inputs[i].type = types[i] }
        function.outputs = types.indices.dropFirst(inputCount).map {
            FunctionOutput("value_\($0)", .local($0), types[$0])
        }
        function.updates = []
        observed.functions = [function]
        var options = SessionOptions()
        options.isa = isa
        options.threads = threads
        session = try Session(try ApusRuntime.Model(observed), options)
    }

    deinit { session.destroy() }

    func run(_ inputs: [Tensor]) throws(ApusError) {
        guard inputs.count == inputCount else { throw .shape("\(inputs.count) inputs, wanted \(inputCount)") }
        for (i, input) in inputs.enumerated() { try session.set(input: i, input) }
        try session.run()
    }

    /// A copy of a value; valid after a run.
    func tensor(_ local: Int) throws(ApusError) -> Tensor { try session.tensor(output: local - inputCount) }

    /// The elements of an f32 value that a node made, until the next run.
    func floats(_ local: Int) throws(ApusError) -> UnsafeBufferPointer<Float> {
        let address = try session.address(.output, function: 0, local - inputCount)
        return UnsafeBufferPointer(
            start: UnsafeRawPointer(address).assumingMemoryBound(to: Float.self), count: types[local].shape.count)
    }
}

extension Graph {
    /// The values of symbolic dimensions that inputs of a function show; the smallest where none does.
    func dimensions(function: Int, of inputs: [Tensor]) -> [Int] {
        var dimensions = self.dimensions.map { $0.minimum }
        for (input, tensor) in zip(functions[function].inputs, inputs) {
            for (axis, extent) in input.type.shape.dimensions.enumerated() where extent < 0 {
                guard axis < tensor.shape.count, -1 - extent < dimensions.count else { continue }
                dimensions[-1 - extent] = tensor.shape[axis]
            }
        }
        return dimensions
    }
}
