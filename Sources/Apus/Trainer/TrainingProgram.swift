import ApusGraph
import ApusRuntime

/// A network's training step as a graph: forward, loss, backward, update, over states that it shares with nobody.
///
/// Function `train_step`. Inputs: the network's, one target per output, the learning rate. Outputs: the loss, then the
/// network's outputs.
struct TrainingProgram {
    let graph: Graph
    /// Indices of the states that hold the network's parameters, in the parameters' order.
    let parameterStates: [Int]
    let stepState: Int

    init(
        _ network: Network, losses: [any Loss], optimizer: any Optimizer, maximumBatch: Int
    ) throws(ApusError) {
        guard losses.count == network.outputs.count else {
            throw .argument("\(losses.count) losses for \(network.outputs.count) outputs")
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
        extra.append(("learning_rate", TensorType(.f32, [])))
        let (emitted, inputs) = try network.emit(
            .training, graph, function: "train_step", maximumBatch: maximumBatch, extraInputs: extra,
            counter: { $0.state(stepState) }, parameter: { index in
                Value(operand: .state(index), type: graph.states[index].type)
            })
        let builder = emitted.builder
        var loss: Value?
        for (i, function) in losses.enumerated() {
            let value = try function.value(emitted.outputs[i], inputs[i], builder)
            loss = try loss.map { old throws(ApusError) in try builder(ApusGraph.Add(), old, value) } ?? value
        }
        for penalty in emitted.context.losses { loss = try builder(ApusGraph.Add(), loss!, penalty) }
        builder.output("loss", loss!)
        for (i, output) in emitted.outputs.enumerated() {
            builder.output(network.outputName(i), output, type: Network.symbolic(output.type))
        }
        try TrainingProgram.appendUpdates(
            network, optimizer, loss: loss!, learningRate: inputs[targetTypes.count], stepState, builder)
        for update in emitted.context.updates { try builder.update(state: update.parameter, to: update.value) }
        builder.finish()
        self.graph = graph
        self.stepState = stepState
        parameterStates = Array(network.parameters.all.indices)
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

    private static func appendUpdates(
        _ network: Network, _ optimizer: any Optimizer, loss: Value, learningRate: Value, _ stepState: Int,
        _ builder: GraphBuilder
    ) throws(ApusError) {
        let graph = builder.graph
        let trained = network.parameters.all.indices.filter { network.parameters.all[$0].isTrainable }
        let weights = trained.map { builder.state($0) }
        var gradients = try Backward.gradients(of: loss, for: weights, in: builder)
        try optimizer.clipping.apply(to: &gradients, builder)
        let step = try builder(ApusGraph.Add(), builder.state(stepState), try builder.scalar(1, .i64))
        for (index, gradient) in zip(trained, gradients) {
            guard let gradient else { continue }
            let name = graph.states[index].name
            var slots: [Int] = []
            for slot in optimizer.slots {
                slots.append(graph.states.count)
                let slotName = "\(optimizer.name)/\(slot)/\(name)", type = graph.states[index].type
                let initial = optimizer.slotValue == 0
                    ? nil : try Filled(Float(optimizer.slotValue)).tensor(type.shape.dimensions).constant(slotName)
                graph.states.append(State(slotName, type, .slot, initial: initial))
            }
            let results = try builder.node(
                optimizer.operation,
                [builder.state(index), gradient] + slots.map { builder.state($0) } + [learningRate, step],
                name: "update/\(name)")
            try builder.update(state: index, to: results[0])
            for (slot, value) in zip(slots, results.dropFirst()) { try builder.update(state: slot, to: value) }
        }
        try builder.update(state: stepState, to: step)
    }
}
