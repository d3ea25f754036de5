import ApusGraph

/// Gradient descent: w ← w − η·g; with momentum μ: v ← μ·v − η·g, w ← w + v, or, by Nesterov, w ← w + μ·v − η·g
/// (Sutskever, Martens, Dahl, Hinton 2013).
public struct SGD: Optimizer {
    public let learningRate: any LearningRateSchedule
    public let momentum: Double
    public let nesterov: Bool
    public let clipping: GradientClipping

    public init(
        learningRate: any LearningRateSchedule = 0.01, momentum: Double = 0, nesterov: Bool = false,
        clipping: GradientClipping = .none
    ) {
        self.learningRate = learningRate
        self.momentum = momentum
        self.nesterov = nesterov
        self.clipping = clipping
    }

    public var name: String { "sgd" }
    public var slots: [String] { momentum == 0 ? [] : ["momentum"] }
    public var operation: Operator { ApusGraph.Sgd(momentum: Float(momentum), nesterov: nesterov) }
}
