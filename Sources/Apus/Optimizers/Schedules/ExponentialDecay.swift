import Foundation

/// initial · decay^(step / steps)
public struct ExponentialDecay: LearningRateSchedule {
    public let initial: Double
    public let decay: Double
    public let steps: Int

    public init(_ initial: Double, decay: Double, steps: Int) {
        self.initial = initial
        self.decay = decay
        self.steps = max(1, steps)
    }

    public func rate(atStep step: Int) -> Double { initial * pow(decay, Double(step) / Double(steps)) }
}
