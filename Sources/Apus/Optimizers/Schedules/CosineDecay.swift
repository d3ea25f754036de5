import Foundation

/// From `peak` to alpha·peak along half a cosine, over `steps` steps (Loshchilov and Hutter 2017); before that,
/// linearly from `initial` to `peak` over `warmupSteps`.
public struct CosineDecay: LearningRateSchedule {
    public let peak: Double
    public let steps: Int
    public let alpha: Double
    public let initial: Double
    public let warmupSteps: Int

    public init(_ peak: Double, steps: Int, alpha: Double = 0, warmupSteps: Int = 0, from initial: Double = 0) {
        self.peak = peak
        self.steps = max(1, steps)
        self.alpha = alpha
        self.initial = initial
        self.warmupSteps = max(0, warmupSteps)
    }

    public func rate(atStep step: Int) -> Double {
        if step < warmupSteps { return initial + (peak - initial) * Double(step) / Double(warmupSteps) }
        let part = min(1, Double(step - warmupSteps) / Double(steps))
        return peak * (alpha + (1 - alpha) * (1 + cos(.pi * part)) / 2)
    }
}
