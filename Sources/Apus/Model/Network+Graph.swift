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
    /// an input's first extent is the symbol "batch", in a step 1, and its second there the chunk. `epoch` is that of a training step.
    func emit(
        _ phase: LayerContext.Phase, _ graph: Graph, function: String, maximumBatch: Int, epoch: Int = 0,
        extraInputs: [(name: String, type: TensorType)] = [], counter: ((GraphBuilder) -> Value)? = nil,
        step: StepMemory? = nil, parameter: @escaping (Int) -> Value
    ) throws(ApusError) -> (Emitted, extra: [Value]) {
        let isStep = phase == .step
        guard maximumBatch >= 1 else { throw .argument("a largest batch of \(maximumBatch), wanted 1 or more") }
        if !isStep && graph.dimensions.isEmpty {
            // What is remembered has one batch.
            graph.dimensions = [SymbolicDimension(Network.batch, (step == nil ? 1 : maximumBatch)...maximumBatch)]
        }
        let builder = GraphBuilder(graph, function: function)
        var rounding: FakeQuantization?
        if phase == .training, let quantization {
            rounding = FakeQuantization(quantization, epoch: epoch, parameters, builder, emit: parameter)
        }
        var values: [ObjectIdentifier: [Value]] = [:]
        var inputs: [Value] = []
        for input in self.inputs {
            guard let layer = input.call.layer as? InputLayer else { continue }
            let shape = isStep ? [1, step!.chunk] + layer.shape.dropFirst() : [-1] + layer.shape
            let type = TensorType(layer.dtype, Shape(shape))
            let value = try builder.input(name(of: layer), type, contract: layer.contract)
            inputs.append(value)
        }
        var extra: [Value] = []
        for input in extraInputs { extra.append(try builder.input(input.name, input.type)) }
        for (input, value) in zip(self.inputs, inputs) {
            values[ObjectIdentifier(input.call)] = [try rounding?.rounded(value, place: name(of: input.call.layer)) ?? value]
        }
        let context = LayerContext(
            phase, builder, parameters, seed: seed, counter: counter?(builder), step: step, rounding: rounding, name: name(of:),
            emit: parameter)
        var emitted: [(layer: Layer, outputs: [Value], nodes: Range<Int>)] = []
        for call in calls where !(call.layer is InputLayer) {
            let firstNode = builder.function.nodes.count
            var arguments: [Value] = []
            for input in call.inputs { arguments.append(values[ObjectIdentifier(input.call)]![input.output]) }
            do throws(ApusError) {
                try context.enter(call.layer)
                let made = try call.layer.call(arguments, context)
                let wanted = max(1, call.layer.outputCount)
                guard made.count == wanted else {
                    throw .argument("\(made.count) tensors made, wanted \(wanted)")
                }
                context.passLengths(from: arguments, to: made)
                values[ObjectIdentifier(call)] = made
                emitted.append((call.layer, made, firstNode..<builder.function.nodes.count))
            } catch {
                throw error.within("layer '\(name(of: call.layer))'")
            }
        }
        try step?.finish(builder)
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

    /// The network as it ships, before any rewriting: `predict` over constant weights, and where `steps` are given a function
    /// for each of their chunks, over the same weights.
    public func inferenceGraph(maximumBatch: Int = 64, steps: StepOptions? = nil) throws(ApusError) -> Graph {
        let graph = Graph(name)
        graph.producer = "Apus \(ApusVersion.text)"
        graph.metadata = metadata
        if steps?.includesPredict ?? true {
            let (emitted, _) = try emit(.inference, graph, function: "predict", maximumBatch: maximumBatch) { index in
                Network.append(self.parameters.all[index], to: graph)
            }
            finish(emitted) { Network.symbolic($0) }
        }
        if let steps { try appendSteps(steps, to: graph) }
        return graph
    }
}

extension Network {
    /// Appends the functions of a stream. The states are theirs together.
    private func appendSteps(_ options: StepOptions, to graph: Graph) throws(ApusError) {
        let lengths = inputs.compactMap { ($0.call.layer as? InputLayer)?.shape.first }
        guard lengths.count == inputs.count, let length = lengths.first, lengths.allSatisfy({ $0 == length }) else {
            throw .shape("steps of network '\(name)', whose inputs \(lengths) have no sequence in common, wanted one length")
        }
        let context = options.context ?? length
        guard (1...Shape.maximumExtent).contains(context) else {
            throw .argument("steps that look back on \(context) elements, wanted 1 ... \(Shape.maximumExtent)")
        }
        guard !options.chunks.isEmpty else { throw .argument("steps of no chunk, wanted one or more") }
        for chunk in options.chunks where chunk < 1 || chunk > context {
            throw .argument("a step of \(chunk) elements, wanted 1 ... \(context)")
        }
        guard Set(options.chunks).count == options.chunks.count else {
            throw .argument("steps of \(options.chunks) elements, wanted each length once")
        }
        guard [.f32, .f16, .bf16, .i8].contains(options.cache) else {
            throw .argument("a cache of \(options.cache.name), wanted f32, f16, bf16 or i8")
        }
        let stream = StreamMemory(graph, context: context, cache: options.cache)
        for chunk in options.chunks {
            let function = StepOptions.functionName(chunk: chunk)
            do throws(ApusError) {
                let (emitted, _) = try emit(
                    .step, graph, function: function, maximumBatch: 1, step: StepMemory(stream, chunk: chunk)
                ) { index in Network.append(self.parameters.all[index], to: graph) }
                finish(emitted) { $0 }
            } catch {
                throw error.within("function '\(function)'")
            }
        }
        if let positions = stream.positions { graph.metadata.append((StepOptions.positionsKey, "\(positions)")) }
    }

    /// Declares the outputs and adds the function to its graph.
    private func finish(_ emitted: Emitted, type: (TensorType) -> TensorType) {
        for (index, output) in emitted.outputs.enumerated() {
            emitted.builder.output(
                outputName(index), output, type: type(output.type), labels: index == 0 ? classNames : [])
        }
        emitted.builder.finish()
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
