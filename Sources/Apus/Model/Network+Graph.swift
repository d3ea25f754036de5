import ApusGraph

extension Network {
    /// A function of the network under construction.
    struct Emitted {
        let builder: GraphBuilder
        let context: LayerContext
        let inputs: [Value]
        let outputs: [Value]
        /// What each call of a layer made, and the places of its nodes.
        let calls: [(layer: Layer, outputs: [Value], nodes: Range<Int>)]
        let rounding: FakeQuantization?

        /// What parameters are after a training step, apart from what an optimizer does.
        var updates: [(parameter: Int, value: Value)] { context.updates + (rounding?.updates ?? []) }
    }

    static let batch = "batch"

    /// Emits the forward pass into a new function of `graph`. `extraInputs` are declared after the network's own;
    /// an input's first extent is the symbol "batch". `epoch` is that of a
    /// training step.
    func emit(
        _ phase: LayerContext.Phase, _ graph: Graph, function: String, maximumBatch: Int, epoch: Int = 0,
        extraInputs: [(name: String, type: TensorType)] = [], counter: ((GraphBuilder) -> Value)? = nil,
        parameter: @escaping (Int) -> Value
    ) throws(ApusError) -> (Emitted, extra: [Value]) {
        if graph.dimensions.isEmpty { graph.dimensions = [SymbolicDimension(Network.batch, 1...maximumBatch)] }
        let builder = GraphBuilder(graph, function: function)
        var rounding: FakeQuantization?
        if phase == .training, let quantization {
            rounding = FakeQuantization(quantization, epoch: epoch, parameters, builder, emit: parameter)
        }
        var values: [ObjectIdentifier: [Value]] = [:]
        var inputs: [Value] = []
        for input in self.inputs {
            guard let layer = input.call.layer as? InputLayer else { continue }
            let type = TensorType(layer.dtype, Shape([-1] + layer.shape))
            let value = try builder.input(layer.name, type, contract: layer.contract)
            inputs.append(value)
        }
        var extra: [Value] = []
        for input in extraInputs { extra.append(try builder.input(input.name, input.type)) }
        for (input, value) in zip(self.inputs, inputs) {
            values[ObjectIdentifier(input.call)] = [try rounding?.rounded(value, place: input.call.layer.name) ?? value]
        }
        let context = LayerContext(
            phase, builder, parameters, seed: seed, counter: counter?(builder), rounding: rounding, emit: parameter)
        var emitted: [(layer: Layer, outputs: [Value], nodes: Range<Int>)] = []
        for call in calls where !(call.layer is InputLayer) {
            context.currentLayer = call.layer
            let firstNode = builder.function.nodes.count
            var arguments: [Value] = []
            for input in call.inputs { arguments.append(values[ObjectIdentifier(input.call)]![input.output]) }
            do throws(ApusError) {
                let made = try call.layer.call(arguments, context)
                values[ObjectIdentifier(call)] = made
                emitted.append((call.layer, made, firstNode..<builder.function.nodes.count))
            } catch {
                throw error.within("layer '\(call.layer.name)'")
            }
        }
        try rounding?.finish()
        let outputs = self.outputs.map { values[ObjectIdentifier($0.call)]![$0.output] }
        let result = Emitted(
            builder: builder, context: context, inputs: inputs, outputs: outputs, calls: emitted, rounding: rounding)
        return (result, extra)
    }

    func outputName(_ index: Int) -> String { outputNames[index] }

    /// The type of a value with the batch as a symbol.
    static func symbolic(_ type: TensorType) -> TensorType {
        var type = type
        if type.shape.rank > 0 { type.shape[0] = -1 }
        return type
    }

    static func append(_ parameter: Parameter, to graph: Graph) -> Value {
        if let index = graph.constants.firstIndex(where: { $0.name == parameter.name }) {
            return Value(operand: .constant(index), type: graph.constants[index].type)
        }
        graph.constants.append(parameter.value.constant(parameter.name))
        return Value(operand: .constant(graph.constants.count - 1), type: graph.constants.last!.type)
    }

    /// The network as it ships: `predict` over constant weights, before any rewriting.
    public func inferenceGraph(maximumBatch: Int = 64) throws(ApusError) -> Graph {
        let graph = Graph(name)
        graph.producer = "Apus \(ApusVersion.text)"
        graph.metadata = metadata
        let (emitted, _) = try emit(.inference, graph, function: "predict", maximumBatch: maximumBatch) { index in
            Network.append(self.parameters.all[index], to: graph)
        }
        for (index, output) in emitted.outputs.enumerated() {
            emitted.builder.output(
                outputName(index), output, type: Network.symbolic(output.type), labels: index == 0 ? classNames : [])
        }
        emitted.builder.finish()
        return graph
    }
}

extension Tensor {
    var type: TensorType { TensorType(dtype, Shape(shape)) }

    /// A copy of the bytes as a constant.
    func constant(_ name: String) -> Constant { Constant(name, type, withUnsafeBytes { HeapStorage($0) }) }
}

/// The version of the package.
public enum ApusVersion {
    public static let text = "1.0.0"
}
