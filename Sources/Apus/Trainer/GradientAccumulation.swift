import ApusGraph

/// Gradients of several batches that become one update of the weights.
///
/// A batch's share s is its samples over the batch size. `train_step` adds s·∂loss/∂w to a sum G of each trained weight, and s
/// to S; `update`, whose input is the learning rate, gives clipping and the optimizer G/S and sets sums and count to 0. So of a
/// loss that is a mean over samples, G/S is the gradient of the mean over all samples of the batches.
struct GradientAccumulation {
    /// The function's index.
    static let update = 1
    /// The state that counts the batches since the last update.
    let batches: Int
    /// The states S, and G of each trained weight, where it has a gradient.
    private let share: Int
    private let sums: [Int?]

    /// Appends the states, and their sums to `train_step`, which counts its runs in the state `steps`.
    init(
        _ gradients: [Value?], of trained: [Int], share: Value, counting steps: Int, _ builder: GraphBuilder
    ) throws(ApusError) {
        let graph = builder.graph
        batches = graph.states.count
        self.share = batches + 1
        graph.states.append(State("accumulated/batches", TensorType(.i64, []), .counter))
        graph.states.append(State("accumulated/share", share.type, .slot))
        for counter in [steps, batches] {
            try builder.update(
                state: counter, to: try builder(.add, builder.state(counter), try builder.scalar(1, .i64)))
        }
        try builder.update(state: self.share, to: try builder(.add, builder.state(self.share), share))
        var sums: [Int?] = []
        for (index, gradient) in zip(trained, gradients) {
            let sum = graph.states.count, name = "accumulated/\(graph.states[index].name)"
            // The states are the same in every stage of a training.
            graph.states.append(State(name, graph.states[index].type, .slot))
            sums.append(gradient == nil ? nil : sum)
            guard let gradient else { continue }
            try builder.update(state: sum, to: try builder(.add, builder.state(sum), gradient, name: name))
        }
        self.sums = sums
    }

    /// Appends the function `update`.
    func appendUpdate(
        _ network: Network, _ optimizer: any Optimizer, of trained: [Int], average: ExponentialMovingAverage?, to graph: Graph
    ) throws(ApusError) {
        let builder = GraphBuilder(graph, function: "update")
        let learningRate = try builder.input("learning_rate", TensorType(.f32, []))
        let updates = graph.states.count
        graph.states.append(State("updates", TensorType(.i64, []), .counter))
        var means: [Value?] = []
        for sum in sums {
            means.append(
                try sum.map { sum throws(ApusError) in try builder(.div, builder.state(sum), builder.state(share)) })
        }
        try TrainingProgram.appendUpdates(
            network, optimizer, means, of: trained, learningRate: learningRate, counting: updates, average: average, builder)
        for state in [batches, share] + sums.compactMap({ $0 }) {
            // Not the difference to itself, which is NaN of a sum that has overflowed.
            let value = builder.state(state), zero = try builder.scalar(0, value.type.dtype)
            try builder.update(state: state, to: try builder(ExpandLike(), zero, value))
        }
        builder.finish()
    }
}

extension Trainer {
    /// Where gradients accumulate: the batches, in training by windows the windows, since the weights last changed.
    public var accumulatedBatches: Int {
        guard let accumulation = program.accumulation else { return 0 }
        return Int(truncatingIfNeeded: session.state(accumulation.batches).loadUnaligned(as: Int64.self))
    }

    /// The runs of `train_step` so far.
    var stepsRun: Int { Int(truncatingIfNeeded: session.state(program.stepState).loadUnaligned(as: Int64.self)) }

    /// Where gradients accumulate, changes the weights by the mean of those that wait, as `fit` does at the end of an epoch;
    /// where none wait, nothing.
    public func updateWeights() throws(ApusError) {
        guard accumulatedBatches > 0 else { return }
        try update(learningRate: learningRate)
        progress.step += 1
    }

    /// The learning rates of the next `count` batches.
    func learningRates(_ count: Int) -> [Double] {
        let waiting = min(max(0, accumulatedBatches), gradientAccumulation)
        return (0..<count).map { learningRate(atStep: progress.step + (waiting + $0) / gradientAccumulation) }
    }

    /// Updates the weights where the batch that `run` saw is the last of its group; says whether they have changed. The outputs
    /// of `train_step` are lost then.
    func endStep(learningRate: Double, endsEpoch: Bool = false) throws(ApusError) -> Bool {
        guard program.accumulation != nil else { return true }
        guard accumulatedBatches >= gradientAccumulation || endsEpoch else { return false }
        try update(learningRate: learningRate)
        return true
    }

    private func update(learningRate: Double) throws(ApusError) {
        var rate = Float(learningRate)
        try withUnsafeBytes(of: &rate) { bytes throws(ApusError) in
            try session.setInput(function: GradientAccumulation.update, 0, bytes)
        }
        try session.run(function: GradientAccumulation.update)
    }
}
