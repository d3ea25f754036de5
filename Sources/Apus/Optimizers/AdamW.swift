import ApusGraph

/// Adam with decoupled weight decay λ: w ← w − η·λ·w before each step (Loshchilov and Hutter 2019).
public struct AdamW: Optimizer {
    /// The weights that decay.
    public enum Decaying: Sendable {
        case all
        /// Kernels: of rank 2 or more and no embedding. Biases and norms, which have no scale to lose, stay.
        case kernels
        /// All whose names contain none of these.
        case allBut([String])

        func includes(_ parameter: Parameter) -> Bool {
            switch self {
            case .all: true
            case .kernels: parameter.value.shape.count >= 2 && !parameter.name.hasSuffix("/embeddings")
            case .allBut(let parts): !parts.contains { parameter.name.contains($0) }
            }
        }
    }

    public let learningRate: any LearningRateSchedule
    public let weightDecay: Double
    public let decaying: Decaying
    public let beta1: Double
    public let beta2: Double
    public let epsilon: Double
    public let clipping: GradientClipping

    public init(
        learningRate: any LearningRateSchedule = 0.001, weightDecay: Double = 0.004,
        decaying: Decaying = .all, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7,
        clipping: GradientClipping = .none
    ) {
        self.learningRate = learningRate
        self.weightDecay = weightDecay
        self.decaying = decaying
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.clipping = clipping
    }

    public var name: String { "adamw" }
    public var slots: [String] { ["momentum", "velocity"] }
    public var operation: Operator { adam(weightDecay) }
    public func operation(for parameter: Parameter) -> Operator { adam(decaying.includes(parameter) ? weightDecay : 0) }

    private func adam(_ decay: Double) -> Operator {
        ApusGraph.Adam(
            beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon), weightDecay: Float(decay), decoupled: true)
    }
}
