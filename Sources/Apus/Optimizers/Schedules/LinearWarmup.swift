/// Linearly from `initial` to the first rate of another schedule, over `steps` steps; then that schedule from its
/// start.
public struct LinearWarmup: LearningRateSchedule {
    public let steps: Int
    public let initial: Double
    public let schedule: any LearningRateSchedule

    public init(steps: Int, from initial: Double = 0, then schedule: any LearningRateSchedule) {
        self.steps = max(0, steps)
        self.initial = initial
        self.schedule = schedule
    }

    public func rate(atStep step: Int) -> Double {
        guard step < steps else { return schedule.rate(atStep: step - steps) }
        return initial + (schedule.rate(atStep: 0) - initial) * Double(step) / Double(steps)
    }
}
