import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// Moving averages of the weights.
final class WeightAverageTests: XCTestCase {
    private let loss = SparseCategoricalCrossEntropy(fromLogits: true)

    private func trainer(
        _ average: Double?, _ optimizer: any Optimizer = Adam(learningRate: 0.01), accumulation: Int = 1, threads: Int = 1
    ) throws -> Trainer {
        let network = try Sequential(input: [8, 8, 1], seed: 3) {
            Conv2D(4, kernel: 3)
            BatchNorm()
            ReLU()
            Flatten()
            Dense(4)
        }
        return try Trainer(
            network, loss: loss, optimizer: optimizer, metrics: [Accuracy()], batchSize: 8, seed: 7, threads: threads,
            gradientAccumulation: accumulation, weightAverage: average.map { ExponentialMovingAverage(decay: $0) })
    }

    private func states(_ trainer: Trainer) -> [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: zip(trainer.program.graph.states.map(\.name), trainer.copyStates()))
    }

    private func values(_ trainer: Trainer) throws -> [[Double]] {
        try trainer.updateNetwork()
        return try trainer.network.parameters.all.map { try $0.value.doubles() }
    }

    /// a ← a − (1 − β)·(a − w) with β = min(decay, (1 + t) / (10 + t)) for what is trained; statistics as they are; and the training
    /// is the one without averages, bit for bit.
    func testIsTheAverageOfTheWeights() throws {
        let data = try SmallTraining.quarters(40)
        for (decay, optimizer, accumulation) in [
            (0.9, SGD(learningRate: 0.05) as any Optimizer, 1), (0.3, Adam(learningRate: 0.01), 1), (0.9, Adam(learningRate: 0.01), 2),
            (0, Adam(learningRate: 0.01), 1),
        ] {
            let averaged = try trainer(decay, optimizer, accumulation: accumulation)
            let plain = try trainer(nil, optimizer, accumulation: accumulation)
            let isTrained = plain.network.parameters.all.map(\.isTrainable)
            var wanted = try values(plain)
            for step in 1...12 {
                for _ in 0..<accumulation {
                    let batch = Batch(try data.rows((0..<8).map { (step * 8 + $0 * 3) % 40 }))
                    XCTAssertEqual(try averaged.step(batch), try plain.step(batch))
                }
                let beta = min(decay, Double(1 + step) / Double(10 + step))
                let now = try values(plain)
                for p in now.indices {
                    wanted[p] = isTrained[p] ? zip(wanted[p], now[p]).map { beta * $0 + (1 - beta) * $1 } : now[p]
                }
                for (found, wanted) in zip(try values(averaged), wanted) { assertClose(found, wanted, 1e-6, "step \(step)") }
            }
            let found = states(averaged)
            for (name, bytes) in states(plain) { XCTAssertEqual(found[name], bytes, name) }
        }
    }

    /// `fit` measures and leaves the averages, and goes on from the weights; early stopping brings averages back.
    func testFit() throws {
        let data = try SmallTraining.quarters(40)
        let whole = try trainer(0.9), parts = try trainer(0.9, threads: 2)
        let history = try whole.fit(data, epochs: 4, validation: .data(data))
        try parts.fit(data, epochs: 2, validation: .data(data))
        try parts.fit(data, epochs: 4, validation: .data(data))
        XCTAssertEqual(parts.copyStates(), whole.copyStates())
        let measured = try whole.network.evaluate(data, losses: [loss], metrics: [Accuracy()], batchSize: 8)
        XCTAssertEqual(try XCTUnwrap(history.last)["val_loss"], measured["loss"])

        let stopped = try trainer(0.9)
        let worse = EarlyStopping(monitor: "loss", patience: 1, minimumDelta: 10)
        try stopped.fit(data, epochs: 9, callbacks: [worse])
        let once = try trainer(0.9)
        try once.fit(data, epochs: 1)
        XCTAssertEqual(stopped.network.parameters.all.map(\.value), once.network.parameters.all.map(\.value))
    }

    func testCheckpoint() throws {
        let folder = try ScratchFolder(), path = folder.file("a.apus"), data = try SmallTraining.quarters(40)
        let whole = try trainer(0.9), first = try trainer(0.9)
        try whole.fit(data, epochs: 3)
        try first.fit(data, epochs: 1)
        try first.saveCheckpoint(path)
        let resumed = try trainer(0.9)
        try resumed.restore(path)
        XCTAssertEqual(resumed.network.parameters.all.map(\.value), first.network.parameters.all.map(\.value))
        let loaded = try trainer(nil).network
        try loaded.loadWeights(path)
        XCTAssertEqual(loaded.parameters.all.map(\.value), first.network.parameters.all.map(\.value))
        try resumed.fit(data, epochs: 3)
        XCTAssertEqual(resumed.copyStates(), whole.copyStates())
        XCTAssertFails(.invalidArgument, "checkpoint of weights averaged by 0.9, wanted 0.99") { try self.trainer(0.99).restore(path) }
        XCTAssertFails(.invalidArgument, "checkpoint of weights averaged by 0.9, wanted nothing") { try self.trainer(nil).restore(path) }
    }

    /// A value that the network is given is the weight's and its average's.
    func testGivenValues() throws {
        let trainer = try trainer(0.9), data = try SmallTraining.quarters(40)
        try trainer.fit(data, epochs: 1)
        trainer.network.parameters.set(0, try Filled(0.5).tensor(trainer.network.parameters.all[0].value.shape))
        try trainer.takeNewValues()
        let found = states(trainer), name = trainer.network.parameters.all[0].name
        XCTAssertEqual(found["average/\(name)"], found[name])
        XCTAssertEqual(found[name].map { $0.prefix(4) }, [0, 0, 0, 0x3f])
    }

    func testRefusals() throws {
        for decay in [1, -0.1, .nan, .infinity] {
            XCTAssertFails(.invalidArgument, "decay \(decay) of the weights' average, wanted 0 ..< 1") { try self.trainer(decay) }
        }
    }
}
