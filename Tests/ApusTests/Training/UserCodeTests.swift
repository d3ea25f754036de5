// Of the package this file imports Apus alone, as programs do.
import Apus
import XCTest

/// max(q·e, (q − 1)·e) with e = t − y (Koenker and Bassett 1978).
private struct Quantile: Loss {
    let q: Double
    var name: String { "quantile" }

    func value(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        let error = try builder(.sub, target, prediction), dtype = prediction.type.dtype
        let above = try builder(.mul, error, try builder.scalar(q, dtype))
        let below = try builder(.mul, error, try builder.scalar(q - 1, dtype))
        return try builder(Reduction(.mean, axes: []), try builder(.maximum, above, below))
    }
}

private final class Scale: Layer {
    override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let factors = try context.parameter("factors", [inputs[0].shape.last], Filled(1))
        let half = context.constant("half", try Tensor([0.5 as Float]))
        return [try context(.mul, try context(.mul, inputs[0], factors), half)]
    }
}

private struct LargestError: Metric {
    var name: String { "largest_error" }
    private(set) var value = Double.nan

    mutating func reset() { value = .nan }
    mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        for (y, t) in zip(try predictions.doubles(), try targets.doubles()) { value = max(value.isNaN ? 0 : value, abs(y - t)) }
    }
}

private final class EndAfter: Callback {
    let epochs: Int
    init(epochs: Int) { self.epochs = epochs }

    func epochEnded(_ trainer: Trainer, _ log: EpochLog) throws(ApusError) {
        if log.epoch + 1 == epochs { trainer.stopReason = "enough" }
    }
}

/// What a program adds of its own to the package's layers, losses, metrics and callbacks.
final class UserCodeTests: XCTestCase {
    func testOwnPartsTrainAndShip() throws {
        let network = try Sequential(input: [2], seed: 1) {
            Dense(8, activation: .tanh)
            Scale()
            Dense(1)
        }
        let x = (0..<64).map { Float($0 % 8) / 8 }, y = (0..<32).map { x[2 * $0] - x[2 * $0 + 1] }
        let data = try Dataset(inputs: Tensor(x, shape: [32, 2]), targets: Tensor(y, shape: [32, 1]))
        let trainer = try Trainer(
            network, loss: Quantile(q: 0.7), optimizer: Adam(learningRate: 0.02), metrics: [LargestError()],
            batchSize: 8, threads: 1)
        let log = try trainer.fit(data, epochs: 50, validation: .data(data), callbacks: [EndAfter(epochs: 20)])
        XCTAssertEqual(log.count, 20)
        XCTAssertEqual(trainer.stopReason, "enough")
        XCTAssertLessThan(try XCTUnwrap(log.last?["val_loss"]), try 0.2 * XCTUnwrap(log.first?["val_loss"]))
        XCTAssertLessThan(try XCTUnwrap(log.last?["val_largest_error"]), try XCTUnwrap(log.first?["val_largest_error"]))

        let path = NSTemporaryDirectory() + "apus-\(UUID().uuidString).apus"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try network.export(to: path)
        let input = data.inputs[0].tensor
        XCTAssertEqual(try Runner(try Model(path: path).graph, threads: 1).run([input])[0], try network.predict(input))
    }
}
