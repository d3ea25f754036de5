import Foundation

/// Along half a cosine from peak/divisor up to `peak` over the first `share` of the steps, then along another down to
/// peak/(divisor·finalDivisor) at the last (Smith and Topin 2018).
public struct OneCycle: LearningRateSchedule {
    public let peak: Double
    public let steps: Int
    public let share: Double
    public let divisor: Double
    public let finalDivisor: Double

    public init(
        _ peak: Double, steps: Int, share: Double = 0.3, divisor: Double = 25, finalDivisor: Double = 1e4
    ) {
        self.peak = peak
        self.steps = max(2, steps)
        self.share = min(max(share, 0), 1)
        self.divisor = divisor
        self.finalDivisor = finalDivisor
    }

    public func rate(atStep step: Int) -> Double {
        let last = Double(steps - 1), top = share * last, position = min(Double(step), last)
        let start = peak / divisor
        return position < top
            ? between(start, peak, position / top)
            : between(peak, start / finalDivisor, top < last ? (position - top) / (last - top) : 1)
    }

    private func between(_ start: Double, _ end: Double, _ part: Double) -> Double {
        end + (start - end) * (1 + cos(.pi * part)) / 2
    }
}
