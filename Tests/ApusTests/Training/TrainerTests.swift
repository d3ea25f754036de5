import ApusGraph
import XCTest

@testable import Apus

final class TrainerTests: XCTestCase {
    func testLearns() throws {
        let data = try SmallTraining.quarters(200)
        let trainer = try SmallTraining.trainer()
        let history = try trainer.fit(data, epochs: 5, validation: .split(0.25))
        XCTAssertEqual(history.map(\.epoch), [0, 1, 2, 3, 4])
        XCTAssertEqual(history[0].names, ["loss", "accuracy", "auroc", "val_loss", "val_accuracy", "val_auroc"])
        XCTAssertGreaterThan(try XCTUnwrap(history.last?["val_accuracy"]), 0.95)
        XCTAssertLessThan(try XCTUnwrap(history.last?["loss"]), try XCTUnwrap(history.first?["loss"]) / 2)
        XCTAssertEqual(trainer.progress.step, 5 * 10)
    }

    /// The loss of an epoch is the mean over its samples, whatever the last batch holds.
    func testUnevenLastBatch() throws {
        let data = try SmallTraining.quarters(21)
        let still = SGD(learningRate: 0.0)
        let dropless = { try Sequential(input: [8, 8, 1], seed: 3) { Flatten(); Dense(4) } }
        func loss(_ batchSize: Int) throws -> Double {
            let trainer = try Trainer(
                try dropless(), loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: still,
                batchSize: batchSize)
            return try XCTUnwrap(try trainer.fit(data, epochs: 1)[0]["loss"])
        }
        XCTAssertEqual(try loss(8), try loss(21), accuracy: 1e-6)
        XCTAssertEqual(try loss(1), try loss(21), accuracy: 1e-6)
    }

    func testSameBytesAtAnyNumberOfThreads() throws {
        let data = try SmallTraining.quarters(70)
        func states(_ threads: Int) throws -> [[UInt8]] {
            let trainer = try SmallTraining.trainer(threads: threads)
            try trainer.fit(data, epochs: 2, augmentation: [.randomShift(fraction: 0.1)])
            return trainer.copyStates()
        }
        let one = try states(1)
        XCTAssertEqual(one, try states(1))
        XCTAssertEqual(one, try states(2))
        XCTAssertEqual(one, try states(3))
    }

    func testCallbacksAreCalledInOrder() throws {
        let recorder = Recorder()
        try SmallTraining.trainer().fit(SmallTraining.quarters(20), epochs: 2, callbacks: [recorder])
        let epoch = { (e: Int) in ["epoch \(e) of 2", "batch 1", "batch 2", "epoch \(e) ended"] }
        XCTAssertEqual(recorder.calls, ["began 2"] + epoch(0) + epoch(1) + ["ended"])
    }

    func testAnotherFitGoesOn() throws {
        let data = try SmallTraining.quarters(40)
        let parts = try SmallTraining.trainer()
        try parts.fit(data, epochs: 1)
        try parts.fit(data, epochs: 3)
        let whole = try SmallTraining.trainer()
        try whole.fit(data, epochs: 3)
        XCTAssertEqual(parts.copyStates(), whole.copyStates())
        XCTAssertEqual(parts.progress.history.count, 3)
    }

    /// y₀ = sum and y₁ = difference of two inputs, found by name in whatever order the dataset lists them.
    func testSeveralInputsAndOutputs() throws {
        func network() throws -> Network {
            let a = Input([3], name: "a"), b = Input([3], name: "b")
            let hidden = Dense(8, name: "hidden")(Concat()(a, b))
            return try Network(inputs: [a, b], outputs: [Dense(3)(hidden), Dense(3)(hidden)], outputNames: ["sum", "difference"], seed: 5)
        }
        var random = Philox(seed: 2)
        let x = (0..<300).map { _ in random.uniform() }, y = (0..<300).map { _ in random.uniform() }
        let sum = NamedTensor("sum", try Tensor(zip(x, y).map { $0 + $1 }, shape: [100, 3]))
        let difference = NamedTensor("difference", try Tensor(zip(x, y).map { $0 - $1 }, shape: [100, 3]))
        let a = NamedTensor("a", try Tensor(x, shape: [100, 3])), b = NamedTensor("b", try Tensor(y, shape: [100, 3]))
        func train(_ inputs: [NamedTensor], _ targets: [NamedTensor], _ weights: [Double]) throws -> Trainer {
            let trainer = try Trainer(
                try network(), losses: [MSE(), MAE()], lossWeights: weights,
                optimizer: Adam(learningRate: 0.01),
                metrics: [MeanAbsoluteError(), MeanAbsoluteError().on(output: 1)], batchSize: 16)
            let data = try Dataset(inputs: inputs, targets: targets)
            try trainer.fit(data, epochs: 60, validation: .data(data))
            return trainer
        }
        let straight = try train([a, b], [sum, difference], [1, 0.5])
        let crossed = try train([b, a], [difference, sum], [1, 0.5])
        XCTAssertEqual(straight.copyStates(), crossed.copyStates())
        let log = try XCTUnwrap(straight.progress.history.last)
        XCTAssertEqual(
            log.names.prefix(5), ["loss", "sum_loss", "difference_loss", "mae", "difference_mae"])
        let parts = (try XCTUnwrap(log["sum_loss"]), try XCTUnwrap(log["difference_loss"]))
        XCTAssertEqual(try XCTUnwrap(log["loss"]), parts.0 + 0.5 * parts.1, accuracy: 1e-6)
        XCTAssertLessThan(try XCTUnwrap(log["val_mae"]), 0.1)
        XCTAssertLessThan(try XCTUnwrap(log["val_difference_mae"]), 0.1)
        // An output of weight 0 is not learned.
        let half = try train([a, b], [sum, difference], [1, 0])
        XCTAssertGreaterThan(try XCTUnwrap(half.progress.history.last?["difference_loss"]), 3 * parts.1)

        let wrong = try Dataset(inputs: [a, NamedTensor("c", b.tensor)], targets: [sum, difference])
        XCTAssertTrue(message { try straight.fit(wrong, epochs: 61) }.contains("inputs named a, c, wanted a, b"))
    }

    /// Of several outputs validation knows each one's loss.
    func testLossesOfOutputs() throws {
        let a = Input([3], name: "a")
        let network = try Network(inputs: [a], outputs: [Dense(2)(a), Dense(1)(a)], outputNames: ["pair", "one"], seed: 5)
        let data = try Dataset(
            inputs: [NamedTensor("a", Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3]))],
            targets: [
                NamedTensor("one", Tensor([1, 0] as [Float], shape: [2, 1])),
                NamedTensor("pair", Tensor([1, 0, 2, 0] as [Float], shape: [2, 2])),
            ])
        let log = try network.evaluate(data, losses: [MSE(), MAE()], lossWeights: [1, 0.5])
        XCTAssertEqual(log.names, ["loss", "pair_loss", "one_loss"])
        let alone = try network.evaluate(data, metrics: [MeanSquaredError(), MeanAbsoluteError().on(output: 1)]).values
        XCTAssertEqual(log.values[1], alone[0], accuracy: 1e-5)
        XCTAssertEqual(log.values[2], alone[1], accuracy: 1e-5)
        XCTAssertEqual(log.values[0], log.values[1] + 0.5 * log.values[2], accuracy: 1e-6)
    }

    /// A class of weight w counts as w times as many samples of it would, divided by as many as there are.
    /// m₂ = μ·(μ·m₀ + (1 − μ)·batch a) + (1 − μ)·batch b, as Keras and PyTorch have it.
    func testABatchNormCalledTwiceFollowsBothBatches() throws {
        let a = Input([1], name: "a"), b = Input([1], name: "b"), norm = BatchNorm(momentum: 0.5, name: "norm")
        let network = try Network(inputs: [a, b], outputs: [Add()(norm(a), norm(b))])
        let data = try Dataset(
            inputs: [
                NamedTensor("a", Tensor([1, 3] as [Float], shape: [2, 1])),
                NamedTensor("b", Tensor([10, 16] as [Float], shape: [2, 1])),
            ], targets: [NamedTensor("output", Tensor.zeros(.f32, shape: [2, 1]))])
        let trainer = try Trainer(network, loss: MSE(), optimizer: SGD(), batchSize: 2, threads: 1)
        try trainer.step(Batch(data))
        try trainer.updateNetwork()
        XCTAssertEqual(try network.parameters["norm/moving_mean"]?.array(of: Float.self), [0.25 * 2 + 0.5 * 13])
        XCTAssertEqual(try network.parameters["norm/moving_variance"]?.array(of: Float.self), [0.25 + 0.25 * 1 + 0.5 * 9])
    }

    /// None hides another, nor the loss.
    func testMetricsOfOneName() throws {
        struct Loss: Metric {
            var name: String { "loss" }
            var value: Double { -1 }
            mutating func update(predictions: Tensor, targets: Tensor) {}
            mutating func reset() {}
        }
        let network = try Sequential(input: [2]) { Dense(3) }, loss = SparseCategoricalCrossEntropy(fromLogits: true)
        let metrics: [any Metric] = [Precision(.macro), Loss(), Precision(.micro), Accuracy()]
        var random = Philox(seed: 6)
        let data = try Dataset(
            inputs: Tensor((0..<20).map { _ in random.uniform() }, shape: [10, 2]),
            targets: Tensor((0..<10).map { Int32($0 * $0 % 3) }))
        let log = try network.evaluate(data, losses: [loss], metrics: metrics)
        XCTAssertEqual(log.names, ["loss", "precision", "loss_1", "precision_1", "accuracy"])
        XCTAssertEqual(log.values.dropFirst(2), [-1, log["accuracy"]!, log["accuracy"]!], "micro precision is accuracy")
        let trainer = try Trainer(network, loss: loss, optimizer: SGD(), metrics: metrics, threads: 1)
        let names = try trainer.fit(data, epochs: 1, validation: .data(data))[0].names
        XCTAssertEqual(names, log.names + log.names.map { "val_" + $0 })
    }

    func testClassWeights() throws {
        let data = try SmallTraining.quarters(24)
        let labels = try data.targets[0].tensor.array(of: Int32.self)
        let twice = (0..<24).flatMap { labels[$0] == 2 ? [$0, $0] : [$0] }.filter { labels[$0] != 0 }
        func train(_ data: Dataset, _ weights: [Float]) throws -> (loss: Double, kernel: [Float]) {
            let trainer = try Trainer(
                try Sequential(input: [8, 8, 1], seed: 3) { Flatten(); Dense(4) },
                loss: SparseCategoricalCrossEntropy(fromLogits: true, classWeights: weights),
                optimizer: SGD(learningRate: Double(data.count) / 24), batchSize: 64)
            let log = try trainer.fit(data, epochs: 1, callbacks: [])
            let kernel = try XCTUnwrap(trainer.network.parameters["dense/kernel"])
            return (try XCTUnwrap(log[0]["loss"]), try kernel.array(of: Float.self))
        }
        let weighted = try train(data, [0, 1, 2, 1]), repeated = try train(data.rows(twice), [])
        XCTAssertEqual(weighted.loss * 24, repeated.loss * Double(twice.count), accuracy: 1e-4)
        for (a, b) in zip(weighted.kernel, repeated.kernel) { XCTAssertEqual(a, b, accuracy: 1e-5) }
        XCTAssertTrue(message { _ = try train(data, [1, 2]) }.contains("2 class weights, wanted 4"))
    }

    func testRefusals() throws {
        let network = try SmallTraining.network()
        let loss = SparseCategoricalCrossEntropy(fromLogits: true)
        XCTAssertEqual(
            message { _ = try Trainer(network, losses: [loss, loss], optimizer: Adam()) },
            "2 losses with 2 weights for 1 outputs")
        XCTAssertEqual(
            message { _ = try Trainer(network, loss: loss, optimizer: Adam(), metrics: [Accuracy().on(output: 1)]) },
            "metric 'output_1_accuracy' of output 1, wanted 0 ..< 1")
        let float = try Dataset(
            inputs: Tensor.zeros(.f32, shape: [4, 8, 8, 1]), targets: Tensor.zeros(.f32, shape: [4]))
        XCTAssertTrue(
            message { try SmallTraining.trainer().fit(float, epochs: 1) }.contains("'target' given as f32 [4], wanted"))
    }
}
