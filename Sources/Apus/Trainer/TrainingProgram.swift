import ApusGraph
import ApusRuntime

/// A network's training step as a graph: forward, loss, backward, update, over states that it shares with nobody.
///
/// Function `train_step`. Inputs: the network's, one target per output, the learning rate and, where samples are weighted, the
/// weight of each. Outputs: the loss, the network's outputs and, where there are several, the loss of each, unweighted. Where
/// gradients accumulate, it has the batch's share instead of the rate, and `update` is a function of its own
/// (`GradientAccumulation`).
struct TrainingProgram {
    let graph: Graph
    /// The function without what is computed again: what checkpoints hold.
    private let plain: Function
    /// Indices of the states that hold the network's parameters, in the parameters' order.
    let parameterStates: [Int]
    /// Those that hold the parameters' values for predictions: the averages where there are such.
    let predictionStates: [Int]
    let stepState: Int
    /// States that go on from window to window.
    let memory: [Int]
    /// Of a quantization-aware network.
    let stage: QuantizationAwareness.Stage?
    /// Whether each sample has a weight, the last input.
    let weighsSamples: Bool
    static let sampleWeights = "sample_weights"
    /// nil where every step updates the weights.
    let accumulation: GradientAccumulation?
    let lossOutput = 0
    let firstPrediction = 1
    /// Where there are several outputs.
    let firstOutputLoss: Int

    /// What stays the same from step to step of a trainer.
    struct Options {
        var maximumBatch: Int
        /// Elements of a window, where training is by windows.
        var window: Int?
        var exact = false
        var recompute = false
        var precision = ComputePrecision.f32
        var accumulates = false
        var average: ExponentialMovingAverage?
        var passes = trainingPasses
    }

    init(
        _ network: Network, losses: [any Loss], weights: [Double] = [], optimizer: any Optimizer, _ options: Options,
        weighsSamples: Bool = false, epoch: Int = 0
    ) throws(ApusError) {
        let weights = weights.isEmpty ? losses.map { _ in 1 } : weights
        guard losses.count == network.outputs.count, weights.count == losses.count else {
            throw .argument(
                "\(losses.count) losses with \(weights.count) weights for \(network.outputs.count) outputs")
        }
        let graph = Graph(network.name)
        graph.producer = "Apus \(ApusVersion.text)"
        for parameter in network.parameters.all {
            graph.states.append(
                State(
                    parameter.name, parameter.value.type, parameter.isWeight ? .weight : .statistic,
                    initial: parameter.value.constant(parameter.name)))
        }
        let stepState = graph.states.count
        graph.states.append(State("step", TensorType(.i64, []), .counter))
        let targetTypes = try TrainingProgram.targetTypes(network, losses)
        var extra: [(name: String, type: TensorType)] = []
        for (i, type) in targetTypes.enumerated() {
            extra.append((targetTypes.count == 1 ? "target" : "target_\(i)", type))
        }
        extra.append((options.accumulates ? "share" : "learning_rate", TensorType(.f32, [])))
        if weighsSamples { extra.append((TrainingProgram.sampleWeights, TensorType(.f32, [-1]))) }
        let (emitted, inputs) = try network.emit(
            .training, graph, function: "train_step", maximumBatch: options.maximumBatch, epoch: epoch, extraInputs: extra,
            counter: { $0.state(stepState) },
            step: options.window.map { StepMemory(StreamMemory(graph, context: 0, cache: .f32), chunk: $0) },
            parameter: { index in
                Value(operand: .state(index), type: graph.states[index].type)
            })
        let builder = emitted.builder
        let parts = try TrainingProgram.losses(
            losses, of: emitted.outputs, targets: inputs, weights: weighsSamples ? inputs.last : nil, builder)
        let loss = try TrainingProgram.sum(parts, weights, penalties: emitted.context.losses, builder)
        builder.output("loss", loss, type: loss.type)
        for (i, output) in emitted.outputs.enumerated() {
            builder.output(network.outputName(i), output, type: Network.symbolic(output.type))
        }
        firstOutputLoss = builder.function.outputs.count
        if parts.count > 1 {
            for (i, part) in parts.enumerated() {
                builder.output("\(network.outputName(i))_loss", part, type: part.type)
            }
        }
        let scalar = inputs[targetTypes.count]
        let trained = network.parameters.all.indices.filter { network.parameters.all[$0].isTrainable }
        let gradients = try Backward.gradients(
            of: loss, times: options.accumulates ? scalar : nil, for: trained.map { builder.state($0) }, in: builder)
        if options.accumulates {
            accumulation = try GradientAccumulation(gradients, of: trained, share: scalar, counting: stepState, builder)
        } else {
            accumulation = nil
            try TrainingProgram.appendUpdates(
                network, optimizer, gradients, of: trained, learningRate: scalar, counting: stepState,
                average: options.average, builder)
        }
        for update in emitted.updates { try builder.update(state: update.parameter, to: update.value) }
        builder.finish()
        try accumulation?.appendUpdate(network, optimizer, of: trained, average: options.average, to: graph)
        for pass in options.passes { _ = try pass.run(graph, ExportOptions(exact: options.exact)) }
        _ = try graph.chooseAlgorithms(exact: options.exact, largestBatch: true)
        // The gradients' nodes are named so, fused or not.
        plain = graph.functions[0]
        if options.recompute, let begin = plain.nodes.firstIndex(where: { $0.name.hasPrefix("gradient/") }) {
            graph.functions[0] = Recompute(plain, backwardFrom: begin).result
        }
        graph.mixedPrecision = options.precision == .mixedBF16
        self.graph = graph
        stage = network.quantization?.stage(epoch: epoch)
        self.weighsSamples = weighsSamples
        self.stepState = stepState
        memory = graph.states.indices.filter { graph.states[$0].role == .memory }
        parameterStates = Array(network.parameters.all.indices)
        predictionStates = parameterStates.map { index in
            let average = ExponentialMovingAverage.name(of: graph.states[index].name)
            return graph.states.firstIndex { $0.name == average } ?? index
        }
    }

    /// A copy of the graph for a checkpoint: the same whether or not a step computes results again.
    func checkpointGraph() -> Graph {
        let copy = Graph(graph.name)
        copy.producer = graph.producer
        copy.dimensions = graph.dimensions
        copy.constants = graph.constants
        copy.states = graph.states
        copy.functions = [plain] + graph.functions.dropFirst()
        return copy
    }

    /// What each output's loss wants as targets, the batch a symbol.
    static func targetTypes(_ network: Network, _ losses: [any Loss]) throws(ApusError) -> [TensorType] {
        let probe = try network.inferenceGraph(maximumBatch: 2)
        var types: [TensorType] = []
        for (output, loss) in zip(probe.functions[0].outputs, losses) {
            types.append(Network.symbolic(try loss.targetType(for: try output.type.resolved([2]))))
        }
        return types
    }

    private static func losses(
        _ losses: [any Loss], of outputs: [Value], targets: [Value], weights: Value?, _ builder: GraphBuilder
    ) throws(ApusError) -> [Value] {
        var parts: [Value] = []
        for (i, loss) in losses.enumerated() {
            let value = try loss.value(outputs[i], targets[i], weights: weights, builder)
            guard value.shape.rank == 0, value.type.dtype.isFloat else {
                throw .shape("loss '\(loss.name)' is \(value.type), wanted a float scalar")
            }
            parts.append(value)
        }
        return parts
    }

    /// Σ weight · loss + Σ penalties
    private static func sum(
        _ losses: [Value], _ weights: [Double], penalties: [Value], _ builder: GraphBuilder
    ) throws(ApusError) -> Value {
        var terms: [Value] = []
        for (loss, weight) in zip(losses, weights) {
            guard weight.isFinite else { throw .argument("loss weight \(weight), wanted a finite one") }
            terms.append(
                weight == 1 ? loss : try builder(.mul, loss, try builder.scalar(weight, loss.type.dtype)))
        }
        var sum = terms[0]
        for term in terms.dropFirst() + penalties { sum = try builder(.add, sum, term) }
        return sum
    }

    /// Appends the optimizer's step for the parameters `trained`, whose gradients are clipped first, counts it, and averages them.
    static func appendUpdates(
        _ network: Network, _ optimizer: any Optimizer, _ gradients: [Value?], of trained: [Int], learningRate: Value,
        counting stepState: Int, average: ExponentialMovingAverage?, _ builder: GraphBuilder
    ) throws(ApusError) {
        guard optimizer.slotValue >= 0 && optimizer.slotValue.isFinite else {
            let slots = optimizer.slots.joined(separator: ", ")
            throw .argument("\(slots) of optimizer '\(optimizer.name)' \(optimizer.slotValue) at first, wanted a finite value of 0 or more")
        }
        let graph = builder.graph
        var gradients = gradients
        try optimizer.clipping.apply(to: &gradients, builder)
        let step = try builder(.add, builder.state(stepState), try builder.scalar(1, .i64))
        let averageRate = try average?.rate(atStep: step, builder)
        for (index, gradient) in zip(trained, gradients) {
            let name = graph.states[index].name
            var slots: [Int] = []
            for slot in optimizer.slots {
                slots.append(graph.states.count)
                let slotName = "\(optimizer.name)/\(slot)/\(name)", type = graph.states[index].type
                let initial = optimizer.slotValue == 0
                    ? nil : try Filled(Float(optimizer.slotValue)).tensor(type.shape.dimensions).constant(slotName)
                graph.states.append(State(slotName, type, .slot, initial: initial))
            }
            let averaged = average == nil ? nil : ExponentialMovingAverage.state(of: index, in: graph)
            // The states are the same in every stage of a training.
            guard let gradient else { continue }
            let results = try builder.node(
                optimizer.operation(for: network.parameters.all[index]),
                [builder.state(index), gradient] + slots.map { builder.state($0) } + [learningRate, step],
                name: "update/\(name)")
            try builder.update(state: index, to: results[0])
            for (slot, value) in zip(slots, results.dropFirst()) { try builder.update(state: slot, to: value) }
            if let averaged, let averageRate {
                try ExponentialMovingAverage.update(averaged, towards: results[0], rate: averageRate, step: step, builder)
            }
        }
        try builder.update(state: stepState, to: step)
    }
}
