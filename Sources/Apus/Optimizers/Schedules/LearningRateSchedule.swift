/// The learning rate as a function of the step.
public protocol LearningRateSchedule: Sendable {
    /// For the step with this index, 0 the first.
    func rate(atStep step: Int) -> Double
}
