import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// Weights that a network is given, and those that are not trained, beside a trainer that has copies of them.
final class TrainerWeightsTests: XCTestCase {
    private func trainer(_ network: Network, rate: Double = 0.1) throws -> Trainer {
        try Trainer(
            network, loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: SGD(learningRate: rate),
            batchSize: 16, threads: 1)
    }

    private func values(_ network: Network) -> [Tensor] { network.parameters.all.map(\.value) }

    /// Loaded after the trainer was made, they are what it goes on from, by `fit` and by `step`.
    func testNewWeightsAreTrainedOn() throws {
        let folder = try ScratchFolder(), path = folder.file("weights.apus"), data = try SmallTraining.quarters(20)
        let other = try SmallTraining.network(seed: 9)
        try trainer(other).saveCheckpoint(path)
        let straight = try trainer(other)
        for fits in [true, false] {
            let network = try SmallTraining.network(seed: 9), late = try trainer(network)
            try network.parameters.set("dense/bias", Tensor([1, 2, 3, 4] as [Float]))
            try network.loadWeights(path)
            if fits { try late.fit(data, epochs: 1) } else { try late.step(data.batches(size: 16).batch(at: 0)) }
            try late.updateNetwork()
            if fits { try straight.fit(data, epochs: 1) } else {
                try straight.restore(path)
                try straight.step(data.batches(size: 16).batch(at: 0))
                try straight.updateNetwork()
            }
            XCTAssertEqual(values(network), values(other))
        }
    }

    /// Without a trainer too; the file runs as the network does.
    func testWeightsAreSavedAndLoaded() throws {
        let folder = try ScratchFolder(), path = folder.file("weights.apus"), data = try SmallTraining.quarters(20)
        let network = try SmallTraining.network(seed: 9)
        try trainer(network).fit(data, epochs: 1)
        try network.saveWeights(path)
        let other = try SmallTraining.network(seed: 4)
        XCTAssertNotEqual(values(other), values(network))
        try other.loadWeights(path)
        XCTAssertEqual(values(other), values(network))
        let input = data.inputs[0].tensor
        let found = try Runner(Model(path: path).graph, threads: 1).run([input])[0].doubles()
        assertClose(found, try network.predict(input).doubles(), 1e-5)
        XCTAssertFails(.ioError, "/nowhere/weights.apus") { try network.saveWeights("/nowhere/weights.apus") }
    }

    /// What is set replaces only what it names: steps since the network was last updated stay.
    func testOneNewWeightLeavesTheOthers() throws {
        let network = try SmallTraining.network(), training = try trainer(network)
        let batch = try SmallTraining.quarters(16).batches(size: 16).batch(at: 0)
        try training.step(batch)
        let trained = try training.parameterValues()
        let bias = try Tensor([1, 2, 3, 4] as [Float])
        try network.parameters.set("dense/bias", bias)
        training.learningRateOverride = 0
        try training.step(batch)
        let place = try XCTUnwrap(network.parameters.find("dense/bias"))
        for (i, value) in try training.parameterValues().enumerated() where network.parameters.all[i].isTrainable {
            XCTAssertEqual(value, i == place ? bias : trained[i])
        }
    }

    func testCallbacksSeeTheEpochsWeights() throws {
        final class Watcher: Callback {
            var hasNow: [Bool] = []
            func epochEnded(_ trainer: Trainer, _ log: EpochLog) throws(ApusError) {
                hasNow.append(trainer.network.parameters.all.map(\.value) == (try trainer.parameterValues()))
            }
        }
        let watcher = Watcher()
        try trainer(SmallTraining.network()).fit(SmallTraining.quarters(20), epochs: 2, callbacks: [watcher])
        XCTAssertEqual(watcher.hasNow, [true, true])
    }

    /// Two trainers of one network take turns.
    func testTrainersTakeTurns() throws {
        let data = try SmallTraining.quarters(32)
        func turns(makesBothFirst: Bool) throws -> [Tensor] {
            let network = try SmallTraining.network(), first = try trainer(network)
            var second = makesBothFirst ? try trainer(network) : nil
            try first.fit(data, epochs: 1)
            if second == nil { second = try trainer(network) }
            try second!.fit(data, epochs: 1)
            return values(network)
        }
        XCTAssertEqual(try turns(makesBothFirst: true), try turns(makesBothFirst: false))
    }

    func testLayersByName() throws {
        let network = try Sequential(input: [4]) {
            Dense(5)
            Dense(4)
            Dense(3)
        }
        try network.parameters.setTrainable(false, layer: "dense")
        XCTAssertEqual(network.parameters.all.map(\.isTrainable), [false, false, true, true, true, true])
        XCTAssertEqual(network.parameters.setTrainable(false, prefix: "dense"), 6)
        XCTAssertEqual(network.parameters.setTrainable(true, prefix: "conv"), 0)
        XCTAssertFails(.invalidArgument, "no weights of a layer 'dens'") {
            try network.parameters.setTrainable(true, layer: "dens")
        }
    }

    func testFreezingComesBeforeTheTrainer() throws {
        let network = try SmallTraining.network(), training = try trainer(network)
        try network.parameters.setTrainable(false, layer: "dense")
        XCTAssertFails(.invalidArgument, "other weights are to be trained than when the trainer was made") {
            try training.fit(SmallTraining.quarters(16), epochs: 1)
        }
    }

    /// Frozen, batch norm computes in training what it does in inference.
    func testFrozenBatchNormKeepsItsStatistics() throws {
        func network() throws -> Network {
            try Sequential(input: [8, 8, 1], seed: 3) {
                Conv2D(4, kernel: 3)
                BatchNorm(name: "norm")
                Flatten()
                Dense(4)
            }
        }
        let network = try network(), data = try SmallTraining.quarters(16)
        try network.parameters.set("norm/moving_mean", Tensor([0.1, 0.2, -0.3, 0] as [Float]))
        try network.parameters.setTrainable(false, layer: "norm")
        let before = network.parameters.all.filter { $0.name.hasPrefix("norm/") }.map(\.value)
        let loss = SparseCategoricalCrossEntropy(fromLogits: true)
        let evaluated = try XCTUnwrap(network.evaluate(data, losses: [loss])["loss"])
        let training = try trainer(network), batch = try data.batches(size: 16).batch(at: 0)
        XCTAssertEqual(try training.step(batch), evaluated, accuracy: 1e-5)
        try training.updateNetwork()
        XCTAssertEqual(network.parameters.all.filter { $0.name.hasPrefix("norm/") }.map(\.value), before)
    }
}
