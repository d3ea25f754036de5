import XCTest

@testable import Apus

final class LayersDropoutTests: XCTestCase {
    private let count = 32_000

    /// What the training phase makes of ones, step after step.
    private func masks(_ layers: [Layer], steps: Int, seed: UInt64 = 0, threads: Int = 1) throws -> [Tensor] {
        let network = try Sequential(input: [1000], seed: seed) { layers }
        let trainer = try Trainer(network, loss: MSE(), optimizer: SGD(), batchSize: 32, threads: threads)
        let ones = [Double](repeating: 1, count: count)
        let samples = try batch(ones, [32, 1000], ones, [32, 1000])
        var result: [Tensor] = []
        for _ in 0..<steps {
            try trainer.step(samples)
            result.append(try trainer.prediction(0))
        }
        return result
    }

    private func kept(_ mask: Tensor) throws -> [Bool] { try mask.doubles().map { $0 != 0 } }

    func testSharesAndScale() throws {
        for rate in [0.1, 0.3, 0.75] {
            let values = try masks([Dropout(rate)], steps: 1)[0].doubles()
            let kept = values.filter { $0 != 0 }
            let deviation = (rate * (1 - rate) / Double(count)).squareRoot()
            XCTAssertEqual(Double(kept.count) / Double(count), 1 - rate, accuracy: 5 * deviation)
            assertClose(kept, [Double](repeating: 1 / (1 - rate), count: kept.count))
        }
    }

    func testMasksAreAFunctionOfSeedStepAndLayer() throws {
        let a = try masks([Dropout(0.5)], steps: 2), b = try masks([Dropout(0.5)], steps: 2, threads: 3)
        XCTAssertEqual(a, b)
        XCTAssertNotEqual(a[0], a[1])
        XCTAssertNotEqual(a[0], try masks([Dropout(0.5)], steps: 1, seed: 1)[0])
        // Two layers that agreed would keep half; independent ones keep a quarter.
        let both = try kept(try masks([Dropout(0.5), Dropout(0.5)], steps: 1)[0]).filter { $0 }.count
        XCTAssertEqual(Double(both) / Double(count), 0.25, accuracy: 0.02)
    }

    func testInferenceKeepsEverything() throws {
        let network = try Sequential(input: [5]) {
            Dropout(0.9)
            ReLU()
        }
        let x = try Tensor([1, 2, 3, 4, 5] as [Float], shape: [1, 5])
        XCTAssertEqual(try network.predict(x), x)
    }
}
