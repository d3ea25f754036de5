import Foundation
import XCTest

@testable import Apus

final class OptimizersScheduleTests: XCTestCase {
    private func check(
        _ schedule: any LearningRateSchedule, _ wanted: [Int: Double], line: UInt = #line
    ) {
        for (step, rate) in wanted {
            XCTAssertEqual(schedule.rate(atStep: step), rate, accuracy: 1e-12, "step \(step)", line: line)
        }
    }

    func testValues() {
        check(0.25, [0: 0.25, 1_000_000: 0.25])
        check(StepDecay(1, factor: 0.5, every: 10), [0: 1, 9: 1, 10: 0.5, 19: 0.5, 20: 0.25, 35: 0.125])
        check(ExponentialDecay(2, decay: 0.25, steps: 4), [0: 2, 2: 1, 4: 0.5, 8: 0.125])
        let quarter = 0.1 + 0.9 * (1 + 0.5.squareRoot()) / 2
        check(CosineDecay(1, steps: 100, alpha: 0.1), [0: 1, 25: quarter, 50: 0.55, 100: 0.1, 1000: 0.1])
        check(CosineDecay(1, steps: 10, warmupSteps: 4, from: 0.2), [0: 0.2, 2: 0.6, 4: 1, 9: 0.5, 14: 0, 99: 0])
        check(
            LinearWarmup(steps: 4, then: StepDecay(1, factor: 0.5, every: 3)),
            [0: 0, 1: 0.25, 3: 0.75, 4: 1, 6: 1, 7: 0.5])
    }

    /// Of 11 steps the peak is at 0.3 · 10 = 3.
    func testOneCycle() {
        func wave(_ start: Double, _ end: Double, _ part: Double) -> Double {
            end + (start - end) * (1 + cos(.pi * part)) / 2
        }
        let low = 0.04, end = 4e-6, third = wave(low, 1, 1.0 / 3), late = wave(1, end, 5.0 / 7)
        check(OneCycle(1, steps: 11), [0: low, 1: third, 3: 1, 8: late, 10: end, 50: end])
    }

    func testANumberIsAConstantRate() {
        XCTAssertEqual(SGD(learningRate: 0.5).learningRate.rate(atStep: 3), 0.5)
    }
}
