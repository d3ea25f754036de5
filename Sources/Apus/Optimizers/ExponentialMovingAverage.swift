import ApusGraph

/// A moving average of the weights, which often predicts better than the last of them.
///
/// After update t (1 at the first) each trained weight's average is a ← a − (1 − β)·(a − w), with β = min(decay, (1 + t) / (10 + t)):
/// small at first, so that the initial weights are soon forgotten (TensorFlow's `ExponentialMovingAverage` with `num_updates`;
/// Polyak and Juditsky 1992). Statistics of batch norms are averages of their own, and are left as they are.
public struct ExponentialMovingAverage: Sendable, Equatable {
    /// 0 ..< 1; about 1 / (1 − decay) updates count.
    public let decay: Double

    public init(decay: Double = 0.999) {
        self.decay = decay
    }

    func check() throws(ApusError) {
        guard decay >= 0 && decay < 1 else { throw .argument("decay \(decay) of the weights' average, wanted 0 ..< 1") }
    }

    /// Of the state that holds a weight's average.
    static func name(of weight: String) -> String { "average/\(weight)" }

    /// The state that holds the average of the weight in state `weight`, appended.
    static func state(of weight: Int, in graph: Graph) -> Int {
        let state = graph.states[weight]
        graph.states.append(State(name(of: state.name), state.type, .slot, initial: state.initial))
        return graph.states.count - 1
    }

    /// 1 − β after update `step`.
    func rate(atStep step: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        let t = try builder(Cast(.f32), step)
        let ramp = try builder(
            .div, try builder(.add, t, try builder.scalar(1, .f32)), try builder(.add, t, try builder.scalar(10, .f32)))
        let beta = try builder(.minimum, ramp, try builder.scalar(decay, .f32))
        return try builder(.sub, try builder.scalar(1, .f32), beta)
    }

    /// Moves the average in `state` towards a weight's new value.
    static func update(
        _ state: Int, towards weight: Value, rate: Value, step: Value, _ builder: GraphBuilder
    ) throws(ApusError) {
        let average = builder.state(state), name = builder.graph.states[state].name
        let difference = try builder(.sub, average, weight)
        let next = try builder.node(ApusGraph.Sgd(), [average, difference, rate, step], name: name)[0]
        try builder.update(state: state, to: next)
    }
}
