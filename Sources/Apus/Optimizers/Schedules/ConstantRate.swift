/// The same learning rate at every step.
public struct ConstantRate: LearningRateSchedule, ExpressibleByFloatLiteral {
    public let rate: Double
    public init(_ rate: Double) { self.rate = rate }
    public init(floatLiteral rate: Double) { self.rate = rate }
    public func rate(atStep step: Int) -> Double { rate }
}
