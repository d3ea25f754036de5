import ApusGraph

/// How weights follow their gradients.
public protocol Optimizer: Sendable {
    /// Such as "adam".
    var name: String { get }
    var learningRate: any LearningRateSchedule { get }
    var clipping: GradientClipping { get }

    /// Names of the tensors it remembers for each weight, all zero at first and shaped like it.
    var slots: [String] { get }

    /// Inputs: weight, gradient, slots…, learning rate, step (1 at the first). Outputs: new weight, new slots….
    var operation: Operator { get }
}

/// The learning rate as a function of the step.
public protocol LearningRateSchedule: Sendable {
    /// For the step with this index, 0 the first.
    func rate(atStep step: Int) -> Double
}

/// The same learning rate at every step.
public struct ConstantRate: LearningRateSchedule, ExpressibleByFloatLiteral {
    public let rate: Double
    public init(_ rate: Double) { self.rate = rate }
    public init(floatLiteral rate: Double) { self.rate = rate }
    public func rate(atStep step: Int) -> Double { rate }
}

/// What is done to gradients before the optimizer sees them.
public enum GradientClipping: Sendable {
    case none
    /// Each element into −limit ... limit.
    case value(Double)
    /// All gradients together scaled down to this norm when theirs is larger.
    case globalNorm(Double)
}
