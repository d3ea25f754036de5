import ApusGraph

/// Adam with decoupled weight decay λ: w ← w − η·λ·w before each step (Loshchilov and Hutter 2019).
public struct AdamW: Optimizer {
    public let learningRate: any LearningRateSchedule
    public let weightDecay: Double
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    public let clipping: GradientClipping

    public init(
        learningRate: any LearningRateSchedule = ConstantRate(0.001), weightDecay: Double = 0.004, beta1: Double = 0.9,
        beta2: Double = 0.999, epsilon: Double = 1e-7, clipping: GradientClipping = .none
    ) {
        self.learningRate = learningRate
        self.weightDecay = weightDecay
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.clipping = clipping
    }

    public var name: String { "adamw" }
    public var slots: [String] { ["momentum", "velocity"] }
    public var operation: Operator {
        ApusGraph.Adam(
            beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon), weightDecay: Float(weightDecay),
            decoupled: true)
    }
}
