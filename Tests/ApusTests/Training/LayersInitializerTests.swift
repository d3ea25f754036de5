import XCTest

@testable import Apus

final class LayersInitializerTests: XCTestCase {
    private func draw(_ initializer: any Initializer, _ shape: [Int], seed: UInt64 = 5) throws -> [Double] {
        var random = Philox(seed: seed)
        let tensor = try initializer.tensor(shape, &random)
        XCTAssertEqual(tensor.shape, shape)
        return try tensor.doubles()
    }

    func testMomentsAndBounds() throws {
        // Fan-in 9·16 = 144, fan-out 9·64 = 576.
        let shape = [3, 3, 16, 64]
        let cut = 2 / 0.87962566103423978
        let cases: [(any Initializer, deviation: Double, bound: Double)] = [
            (GlorotUniform(), (2 / 720.0).squareRoot(), (6 / 720.0).squareRoot()),
            (HeUniform(), (2 / 144.0).squareRoot(), (6 / 144.0).squareRoot()),
            (LeCunUniform(), (1 / 144.0).squareRoot(), (3 / 144.0).squareRoot()),
            (GlorotNormal(), (2 / 720.0).squareRoot(), cut * (2 / 720.0).squareRoot()),
            (HeNormal(), (2 / 144.0).squareRoot(), cut * (2 / 144.0).squareRoot()),
            (LeCunNormal(), (1 / 144.0).squareRoot(), cut * (1 / 144.0).squareRoot()),
            (RandomUniform(-0.1, 0.1), 0.1 / 3.0.squareRoot(), 0.1),
            (RandomNormal(deviation: 0.2), 0.2, 0.2 * 6),
            (TruncatedNormal(deviation: 0.2), 0.2 * 0.87962566103423978, 0.4),
        ]
        for (initializer, deviation, bound) in cases {
            let values = try draw(initializer, shape), count = Double(values.count)
            let mean = values.reduce(0, +) / count
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
            // Five standard errors of the mean; the variance's relative error is below √(2/n) for all of these.
            XCTAssertLessThan(abs(mean), 5 * deviation / count.squareRoot(), "\(initializer)")
            XCTAssertEqual(
                variance / (deviation * deviation), 1, accuracy: 5 * (2 / count).squareRoot(), "\(initializer)")
            XCTAssertLessThanOrEqual(values.map { abs($0) }.max()!, bound * (1 + 1e-6), "\(initializer)")
            XCTAssertGreaterThan(values.map { abs($0) }.max()!, bound * 0.6, "\(initializer)")
            XCTAssertEqual(values, try draw(initializer, shape), "\(initializer) with the same seed")
            XCTAssertNotEqual(values, try draw(initializer, shape, seed: 6), "\(initializer) with another seed")
        }
        XCTAssertEqual(try draw(Filled(0.5), [2, 2]), [0.5, 0.5, 0.5, 0.5])
    }

    func testOrthogonal() throws {
        for shape in [[20, 8], [8, 20], [3, 3, 2, 18], [6, 6]] {
            let columns = shape.last!, rows = shape.dropLast().reduce(1, *)
            let q = try draw(Orthogonal(gain: 2), shape)
            let tall = rows >= columns, count = min(rows, columns), length = max(rows, columns)
            func at(_ i: Int, _ j: Int) -> Double { tall ? q[j * columns + i] : q[i * columns + j] }
            for a in 0..<count {
                for b in 0..<count {
                    let dot = (0..<length).reduce(0.0) { $0 + at(a, $1) * at(b, $1) }
                    XCTAssertEqual(dot, a == b ? 4 : 0, accuracy: 1e-6, "\(shape) \(a) \(b)")
                }
            }
        }
        var random = Philox(seed: 0)
        XCTAssertThrowsError(try Orthogonal().tensor([4], &random))
    }

    func testDepthwiseFansAreKeras() throws {
        let network = try Sequential(input: [8, 8, 64]) { DepthwiseConv2D(kernel: 3, multiplier: 4) }
        let limit = (6 / Double(9 * 64 + 9 * 4)).squareRoot()
        let largest = try network.doubles("depthwiseconv2d/kernel").map { abs($0) }.max()!
        XCTAssertLessThanOrEqual(largest, limit * (1 + 1e-6))
        XCTAssertGreaterThan(largest, limit * 0.98)
    }

    func testWeightsAreAFunctionOfTheSeed() throws {
        let make = { try ModelLibrary.mnistCNN(seed: $0).parameters.all.map { $0.value } }
        XCTAssertEqual(try make(3), try make(3))
        XCTAssertNotEqual(try make(3), try make(4))
    }
}
