/// The learning rate as a function of the step. A number is the same rate at every step: `Adam(learningRate: 0.01)`.
public protocol LearningRateSchedule: Sendable {
    /// For the step with this index, 0 the first.
    func rate(atStep step: Int) -> Double
}

extension Double: LearningRateSchedule {
    public func rate(atStep step: Int) -> Double { self }
}
