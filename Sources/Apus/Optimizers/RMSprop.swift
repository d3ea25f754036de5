import ApusGraph

/// v ← ρ·v + (1 − ρ)·g², d = η·g / √(v + ε), w ← w − d; with momentum μ: m ← μ·m + d, w ← w − m
/// (Hinton 2012, lecture 6).
public struct RMSprop: Optimizer {
    public let learningRate: any LearningRateSchedule
    public let rho: Double
    public let momentum: Double
    public let epsilon: Double
    public let clipping: GradientClipping

    public init(
        learningRate: any LearningRateSchedule = 0.001, rho: Double = 0.9, momentum: Double = 0,
        epsilon: Double = 1e-7, clipping: GradientClipping = .none
    ) {
        self.learningRate = learningRate
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.clipping = clipping
    }

    public var name: String { "rmsprop" }
    public var slots: [String] { momentum == 0 ? ["velocity"] : ["velocity", "momentum"] }
    public var operation: Operator {
        ApusGraph.RmsProp(rho: Float(rho), momentum: Float(momentum), epsilon: Float(epsilon))
    }
}
