import ApusGraph

/// Adam (Kingma and Ba 2015), as Keras computes it:
/// m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², w ← w − η·√(1 − β₂ᵗ)/(1 − β₁ᵗ)·m/(√v + ε).
public struct Adam: Optimizer {
    public let learningRate: any LearningRateSchedule
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    public let clipping: GradientClipping

    public init(
        learningRate: any LearningRateSchedule = 0.001, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Double = 1e-7, clipping: GradientClipping = .none
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.clipping = clipping
    }

    public var name: String { "adam" }
    public var slots: [String] { ["momentum", "velocity"] }
    public var operation: Operator {
        ApusGraph.Adam(
            beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon))
    }
}
