import XCTest

@testable import Apus

final class HistogramTests: XCTestCase {
    private func histogram(_ parts: [[Float]]) -> Histogram {
        var histogram = Histogram()
        for part in parts { part.withUnsafeBufferPointer { histogram.add($0) } }
        return histogram
    }

    func testGrowsWithoutLosingACount() {
        let h = histogram([[0, 0], [0.5, -0.25], [100, 3], [.nan, .infinity]])
        XCTAssertEqual(h.counts.reduce(0, +), 6)
        XCTAssertEqual(h.minimum, -0.25)
        XCTAssertEqual(h.maximum, 100)
        XCTAssertGreaterThanOrEqual(h.limit, 100)
        XCTAssertEqual(h.counts.count, Histogram.binCount)
    }

    func testMinmaxTakesAll() {
        let codes = CalibrationMethod.minmax.codes(histogram([[-1, 4], [0, 4.1]]))
        XCTAssertEqual(Double(codes.scale), 5.1 / 255, accuracy: 1e-6)
        XCTAssertEqual(codes.code(-1), -128)
        XCTAssertEqual(codes.code(4.1), 127)
        XCTAssertEqual(codes.code(0), Int8(codes.zeroPoint))
    }

    /// One value in 100,000 far outside: methods that look at how many there are leave it out.
    func testAnOutlier() {
        var random = Philox(seed: 3)
        let bulk = (0..<100_000).map { _ in (0..<6).reduce(Float(0)) { sum, _ in sum + random.uniform() - 0.5 } }
        let h = histogram([bulk, [60]])
        XCTAssertGreaterThan(CalibrationMethod.minmax.codes(h).scale, 0.2)
        for method in [CalibrationMethod.percentile, .entropy] {
            XCTAssertLessThan(method.codes(h).scale, 0.1, method.rawValue)
        }
    }

    /// A bin whose middle lies beyond the greatest value, which many values have.
    func testAnExtremeOfManyValuesIsKept() {
        var random = Philox(seed: 6)
        let bulk = (0..<20_000).map { $0 % 10 < 3 ? 6 : 3 * random.uniform() }
        let h = histogram([[4], bulk])
        XCTAssertGreaterThan(h.center(Int(6 / h.binWidth) + Histogram.binCount / 2), 6)
        XCTAssertEqual(CalibrationMethod.entropy.codes(h).scale, 6 / 255, accuracy: 1e-3)
    }

    func testValuesOfOneSignKeepZero() {
        let codes = CalibrationMethod.mse.codes(histogram([[2, 3, 4, 6]]))
        XCTAssertEqual(codes.zeroPoint, -128)
    }

    func testValuesTooSmallToBeNormal() {
        let h = histogram([[0, 0x1p-133], [-0x1p-139]])
        XCTAssertEqual(h.counts.reduce(0, +), 3)
        for method in CalibrationMethod.allCases { XCTAssertGreaterThan(method.codes(h).scale, 0, method.rawValue) }
        let grown = histogram([[0x1p-133], [2]])
        XCTAssertEqual(grown.counts.reduce(0, +), 2)
        XCTAssertGreaterThanOrEqual(grown.limit, 2)
    }

    func testZerosAlone() {
        let codes = CalibrationMethod.mse.codes(histogram([[0, 0, 0]]))
        XCTAssertGreaterThan(codes.scale, 0)
        XCTAssertEqual(codes.code(0), Int8(codes.zeroPoint))
    }
}
