import XCTest

@testable import Apus

/// XOR by a 2-4-1 network of sigmoids: the smallest problem that needs its hidden layer.
final class OptimizersXorTests: XCTestCase {
    private func train(_ loss: any Loss, _ optimizer: any Optimizer, steps: Int) throws -> (Network, Double) {
        let network = try Sequential(input: [2], seed: 1) {
            Dense(4, activation: .sigmoid)
            Dense(1, activation: .sigmoid)
        }
        let trainer = try Trainer(network, loss: loss, optimizer: optimizer, batchSize: 4, threads: 1)
        let samples = try batch([0, 0, 0, 1, 1, 0, 1, 1], [4, 2], [0, 1, 1, 0], [4, 1])
        var last = Double.infinity
        for _ in 0..<steps { last = try trainer.step(samples) }
        try trainer.updateNetwork()
        return (network, last)
    }

    private func check(_ network: Network) throws {
        let x = try Tensor([0, 0, 0, 1, 1, 0, 1, 1] as [Float], shape: [4, 2])
        XCTAssertEqual(try network.predict(x, threads: 1).doubles().map { $0.rounded() }, [0, 1, 1, 0])
    }

    func testAdam() throws {
        let (network, loss) = try train(BinaryCrossEntropy(), Adam(learningRate: 0.1), steps: 500)
        XCTAssertLessThan(loss, 0.05)
        try check(network)
    }

    func testSGD() throws {
        let optimizer = SGD(learningRate: 1.0, momentum: 0.9)
        let (network, loss) = try train(MSE(), optimizer, steps: 2000)
        XCTAssertLessThan(loss, 0.01)
        try check(network)
    }

    func testTheSameSeedGivesTheSameBits() throws {
        let make = { try self.train(BinaryCrossEntropy(), Adam(learningRate: 0.1), steps: 20).0 }
        XCTAssertEqual(try make().parameters.all.map { $0.value }, try make().parameters.all.map { $0.value })
    }
}
