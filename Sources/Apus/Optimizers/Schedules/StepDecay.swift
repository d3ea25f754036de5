import Foundation

/// initial · factor^⌊step / every⌋
public struct StepDecay: LearningRateSchedule {
    public let initial: Double
    public let factor: Double
    public let every: Int

    public init(_ initial: Double, factor: Double = 0.1, every: Int) {
        self.initial = initial
        self.factor = factor
        self.every = max(1, every)
    }

    public func rate(atStep step: Int) -> Double { initial * pow(factor, Double(step / every)) }
}
