import ApusGraph

/// a ← a + g², w ← w − η·g / √(a + ε) (Duchi, Hazan, Singer 2011).
public struct Adagrad: Optimizer {
    public let learningRate: any LearningRateSchedule
    /// What a is at first.
    public let initialAccumulator: Double
    public let epsilon: Double
    public let clipping: GradientClipping

    public init(
        learningRate: any LearningRateSchedule = 0.001, initialAccumulator: Double = 0.1,
        epsilon: Double = 1e-7, clipping: GradientClipping = .none
    ) {
        self.learningRate = learningRate
        self.initialAccumulator = initialAccumulator
        self.epsilon = epsilon
        self.clipping = clipping
    }

    public var name: String { "adagrad" }
    public var slots: [String] { ["accumulator"] }
    public var slotValue: Double { initialAccumulator }
    public var operation: Operator { ApusGraph.Adagrad(epsilon: Float(epsilon)) }
}
