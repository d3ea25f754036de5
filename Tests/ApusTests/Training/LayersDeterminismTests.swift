import XCTest

@testable import Apus

final class LayersDeterminismTests: XCTestCase {
    private func weights(threads: Int) throws -> [Tensor] {
        let network = try Sequential(input: [12, 12, 3], seed: 9) {
            Conv2D(16, kernel: 3, padding: .same, usesBias: false)
            BatchNorm()
            ReLU()
            Residual(activation: .relu) {
                Conv2D(32, kernel: 3, stride: 2, padding: .same, kernelRegularizer: L2(0.01))
                BatchNorm()
            } shortcut: {
                DepthwiseConv2D(kernel: 3, stride: 2, padding: .same, multiplier: 2)
            }
            MaxPool2D(2)
            Dropout(0.2)
            Flatten()
            Dense(40, activation: .gelu)
            LayerNorm()
            Dense(5)
        }
        let trainer = try Trainer(
            network, loss: CategoricalCrossEntropy(fromLogits: true),
            optimizer: AdamW(learningRate: CosineDecay(0.01, steps: 10), clipping: .globalNorm(1)), batchSize: 8,
            threads: threads)
        var random = TestRandom(4)
        for size in [8, 8, 3] {
            let x = (0..<size * 432).map { _ in Double.random(in: -1...1, using: &random) }
            let t = (0..<size).flatMap { row in (0..<5).map { $0 == row % 5 ? 1.0 : 0 } }
            try trainer.step(try batch(x, [size, 12, 12, 3], t, [size, 5]))
        }
        try trainer.updateNetwork()
        return network.parameters.all.map { $0.value }
    }

    func testTrainingGivesTheSameBitsOnAnyNumberOfThreads() throws {
        let one = try weights(threads: 1)
        for values in one { XCTAssertTrue(try values.doubles().allSatisfy { $0.isFinite }) }
        for threads in [2, 7] {
            for (a, b) in zip(one, try weights(threads: threads)) { XCTAssertEqual(a, b, "\(threads) threads") }
        }
    }
}
