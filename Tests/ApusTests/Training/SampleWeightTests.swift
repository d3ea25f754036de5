import XCTest

import class ApusGraph.Graph
import class ApusGraph.GraphBuilder
import class ApusRuntime.Model
@testable import Apus

/// Samples that count more or less in the loss: Σ w·l / n.
final class SampleWeightTests: XCTestCase {
    private let data = [0.9, 0.1, 0.2, 0.5, 0.3, 0.25, 0.4, 0.8, 0.35]

    /// The loss of weighted predictions [3, 3] in f64, and its gradient with respect to them.
    private func run(_ loss: any Loss, _ y: TestTensor, _ t: TestTensor, _ w: [Double]?) throws -> (Double, [Double]) {
        let graph = Graph(loss.name), builder = GraphBuilder(graph, function: "loss")
        let prediction = try builder.input("x0", y.type), target = try builder.input("x1", t.type)
        let weights = try w.map { try builder.input("x2", TestTensor(.f32, [$0.count], $0).type) }
        let value = try loss.value(prediction, target, weights: weights, builder)
        builder.output("y0", value)
        builder.output("y1", try XCTUnwrap(try Backward.gradients(of: value, for: [prediction], in: builder)[0]))
        builder.finish()
        let inputs = [y, t] + (w.map { [TestTensor(.f32, [$0.count], $0)] } ?? [])
        let found = try OperatorRun.run(try Model(graph), inputs, isa: .init(rawValue: 0))
        return (found[0].values[0], found[1].values)
    }

    private func check(
        _ loss: any Loss, _ y: TestTensor, _ t: TestTensor, _ w: [Double], _ wanted: Double, line: UInt = #line
    ) throws {
        let (value, gradient) = try run(loss, y, t, w)
        XCTAssertEqual(value, wanted, accuracy: 1e-12, loss.name, line: line)
        for element in y.values.indices {
            var up = y, down = y
            up.values[element] += 1e-6
            down.values[element] -= 1e-6
            let difference = (try run(loss, up, t, w).0 - run(loss, down, t, w).0) / 2e-6
            XCTAssertEqual(gradient[element], difference, accuracy: 1e-7, "\(loss.name), element \(element)", line: line)
        }
    }

    /// Every loss: the mean over the samples of each one's weight times its loss alone.
    func testLossesAreMeansOfWeightedSamples() throws {
        let y = TestTensor(.f64, [3, 3], data), t = TestTensor(.f64, [3, 3], [0, 1, 0, 1, 0, 0, 0.5, 0.25, 0.25])
        let labels = TestTensor(.i32, [3], [2, 0, 1]), w = [0.5, 0, 3]
        let ofClasses: [any Loss] = [
            SparseCategoricalCrossEntropy(), SparseCategoricalCrossEntropy(fromLogits: true, classWeights: [1, 2, 0.5]),
        ]
        let others: [any Loss] = [
            MSE(), MAE(), Huber(delta: 0.3), KLDivergence(), BinaryCrossEntropy(), BinaryCrossEntropy(fromLogits: true),
            BinaryCrossEntropy(fromLogits: true, positiveWeights: [2]), CategoricalCrossEntropy(),
            CategoricalCrossEntropy(fromLogits: true, labelSmoothing: 0.1),
        ]
        func one(_ x: TestTensor, _ row: Int) -> TestTensor {
            let size = x.values.count / 3
            return TestTensor(x.dtype, [1] + x.shape.dropFirst(), Array(x.values[row * size..<(row + 1) * size]))
        }
        for (loss, target) in ofClasses.map({ ($0, labels) }) + others.map({ ($0, t) }) {
            var wanted = 0.0
            for row in 0..<3 { wanted += w[row] * (try run(loss, one(y, row), one(target, row), nil).0) / 3 }
            try check(loss, y, target, w, wanted)
            let plain = try run(loss, y, target, nil).0
            XCTAssertEqual(try run(loss, y, target, [1, 1, 1]).0, plain, accuracy: 1e-12, loss.name)
        }
        let smooth = SparseCategoricalCrossEntropy(fromLogits: true, labelSmoothing: 0.1), single = y.converted(to: .f32)
        var wanted = 0.0
        for row in 0..<3 { wanted += w[row] * (try run(smooth, one(single, row), one(labels, row), nil).0) / 3 }
        XCTAssertEqual(try run(smooth, single, labels, w).0, wanted, accuracy: 1e-6)
    }

    /// By hand: ((0.9² + 0.1²)/2 · 2 + (0.3² + 0.5²)/2 · 0.5) / 2.
    func testByHand() throws {
        let y = TestTensor(.f64, [2, 2], [0.9, 0.1, 0.2, 0.5]), t = TestTensor(.f64, [2, 2], [0, 0, 0.5, 1])
        try check(MSE(), y, t, [2, 0.5], (0.41 * 2 + 0.17 * 0.5) / 2)
        // log 2 of each label; class 1 counts 3; one of three is ignored, and its sample's weight with it.
        let even = TestTensor(.f64, [3, 2], [0, 0, 0, 0, 0, 0]), labels = TestTensor(.i32, [3], [1, -1, 0])
        let loss = SparseCategoricalCrossEntropy(fromLogits: true, classWeights: [1, 3], ignoreIndex: -1)
        let wanted = 0.6931471805599453 * (3 * 0.5 + 1 * 4) / 2
        XCTAssertEqual(try run(loss, even, labels, [0.5, 7, 4]).0, wanted, accuracy: 1e-12)
        // Of sequences [2, 2] each label is weighted by its sample; three labels count.
        let sequences = TestTensor(.f64, [2, 2, 2], [Double](repeating: 0, count: 8))
        let words = TestTensor(.i32, [2, 2], [1, -1, 0, 0])
        let sum = 0.6931471805599453 * (3 * 0.5 + (1 + 1) * 4) / 3
        XCTAssertEqual(try run(loss, sequences, words, [0.5, 4]).0, sum, accuracy: 1e-12)
    }

    private func network() throws -> Network {
        try Sequential(input: [8, 8, 1], seed: 3) {
            Flatten()
            Dense(6, activation: .tanh)
            Dense(4)
        }
    }

    private func trainer(_ rate: Double = 0.1, batchSize: Int = 32, metrics: [any Metric] = []) throws -> Trainer {
        try Trainer(
            try network(), loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: SGD(learningRate: rate),
            metrics: metrics, batchSize: batchSize, threads: 1)
    }

    private func weighted(_ data: Dataset, _ weights: [Float]) throws -> Dataset {
        try Dataset(inputs: data.inputs, targets: data.targets, weights: Tensor(weights))
    }

    private func values(_ trainer: Trainer) throws -> [Double] {
        try trainer.updateNetwork()
        return try trainer.network.parameters.all.flatMap { try $0.value.doubles() }
    }

    /// A weight of 0 leaves a sample out and one of 2 counts it twice; the divisor stays the number of samples.
    func testAStepWithWeightsIsOneOfTheSamplesTheyCount() throws {
        let data = try SmallTraining.quarters(12)
        let weights = (0..<12).map { Float($0 % 3) }
        let counted = (0..<12).flatMap { [Int](repeating: $0, count: $0 % 3) }
        let a = try trainer(0.1), b = try trainer(0.1 * Double(counted.count) / 12)
        for _ in 0..<3 {
            let found = try a.step(Batch(weighted(data, weights))), wanted = try b.step(Batch(data.rows(counted)))
            XCTAssertEqual(found * 12, wanted * Double(counted.count), accuracy: 1e-4)
        }
        assertClose(try values(a), try values(b), 1e-5)
    }

    func testWithoutWeightsTheProgramHasNoInputForThem() throws {
        let data = try SmallTraining.quarters(8), trainer = try trainer()
        let before = trainer.stepFunction.nodes.count
        XCTAssertEqual(trainer.stepFunction.inputs.map(\.name), ["input", "target", "learning_rate"])
        try trainer.fit(weighted(data, [Float](repeating: 1, count: 8)), epochs: 1)
        XCTAssertEqual(trainer.stepFunction.inputs.map(\.name), ["input", "target", "learning_rate", "sample_weights"])
        try trainer.fit(data, epochs: 2)
        XCTAssertEqual(trainer.stepFunction.inputs.map(\.name), ["input", "target", "learning_rate"])
        XCTAssertEqual(trainer.stepFunction.nodes.count, before)
    }

    /// Also where batches are uneven; metrics count all samples alike.
    func testLoggedLossIsThatOfEvaluation() throws {
        let data = try SmallTraining.quarters(21)
        let weights = (0..<21).map { Float($0 % 4) / 2 }, loss = SparseCategoricalCrossEntropy(fromLogits: true)
        let trainer = try trainer(0, batchSize: 8, metrics: [Accuracy()])
        let samples = try weighted(data, weights)
        let log = try trainer.fit(samples, epochs: 1, validation: .data(samples))[0]
        var sum = 0.0
        for row in 0..<21 {
            let alone = try trainer.network.evaluate(data.rows(row..<row + 1), losses: [loss])
            sum += Double(weights[row]) * alone.values[0]
        }
        let (found, validation) = (try XCTUnwrap(log["loss"]), try XCTUnwrap(log["val_loss"]))
        XCTAssertEqual(found, sum / 21, accuracy: 1e-5)
        XCTAssertEqual(validation, sum / 21, accuracy: 1e-5)
        XCTAssertEqual(log["accuracy"], try trainer.network.evaluate(data, metrics: [Accuracy()]).values[0])
    }

    func testSeveralOutputsAndWindowsHaveTheSameWeights() throws {
        let x = Input([3])
        let two = try Network(inputs: [x], outputs: [Dense(2)(x), Dense(1)(x)], seed: 5)
        let data = try Dataset(
            inputs: [NamedTensor("input", Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3]))],
            targets: [
                NamedTensor("output_0", Tensor([1, 0, 2, 0] as [Float], shape: [2, 2])),
                NamedTensor("output_1", Tensor([1, 0] as [Float], shape: [2, 1])),
            ], weights: Tensor([0, 3] as [Float]))
        let log = try two.evaluate(data, losses: [MSE(), MAE()])
        let second = try two.evaluate(
            Dataset(inputs: data.rows(1..<2).inputs, targets: data.rows(1..<2).targets), losses: [MSE(), MAE()])
        for (found, wanted) in zip(log.values, second.values) { XCTAssertEqual(found, wanted * 3 / 2, accuracy: 1e-4) }

        func windows(_ weights: [Float]?) throws -> Trainer {
            let network = try Sequential(input: [4, 2], seed: 2) { LSTM(3, returnSequences: true) }
            let trainer = try Trainer(
                network, loss: MSE(), optimizer: SGD(learningRate: weights == nil ? 0.05 : 0.1), batchSize: 2, threads: 1,
                window: 4)
            let long = try Tensor((0..<48).map { Float($0 % 7) / 7 }, shape: [2, 12, 2])
            let wanted = try Tensor((0..<72).map { Float($0 % 5) / 5 }, shape: [2, 12, 3])
            let data = try Dataset(inputs: long, targets: wanted, weights: weights.map { try Tensor($0) })
            try trainer.fit(data, epochs: 1)
            return trainer
        }
        assertClose(try values(windows([0.5, 0.5])), try values(windows(nil)), 1e-6)
    }

    func testResumesWithinAnEpochBitForBit() throws {
        let folder = try ScratchFolder(), path = folder.file("a.apus")
        let data = try weighted(SmallTraining.quarters(40), (0..<40).map { Float($0 % 5) / 4 })
        let whole = try SmallTraining.trainer()
        try whole.fit(data, epochs: 2, validation: .split(0.2))
        XCTAssertThrowsError(
            try SmallTraining.trainer().fit(
                data, epochs: 2, validation: .split(0.2), callbacks: [Interruption(afterStep: 2)],
                checkpoint: CheckpointPolicy(path, everyBatches: 1)))
        let resumed = try SmallTraining.trainer(threads: 2)
        try resumed.restore(path)
        try resumed.fit(data, epochs: 2, validation: .split(0.2))
        XCTAssertEqual(resumed.copyStates(), whole.copyStates())
        // As text, in which NaN is NaN.
        XCTAssertEqual("\(resumed.progress.history.map(\.values))", "\(whole.progress.history.map(\.values))")
        let other = try SmallTraining.trainer()
        try other.restore(path)
        XCTAssertFails(.invalidArgument, "begun on samples with weights, resumed on samples without weights") {
            try other.fit(SmallTraining.quarters(40), epochs: 2, validation: .split(0.2))
        }
    }

    func testRefusals() throws {
        let data = try SmallTraining.quarters(3)
        XCTAssertFails(.badShape, "weights of samples are f32 [2], wanted f32 [3]") { try weighted(data, [1, 1]) }
        XCTAssertFails(.badShape, "wanted f32 [3]") {
            try Dataset(inputs: data.inputs, targets: data.targets, weights: Tensor([1, 1, 1] as [Int32]))
        }
        for (weight, text) in [(-0.5, "-0.5"), (.nan, "nan"), (.infinity, "inf")] as [(Float, String)] {
            XCTAssertFails(.invalidArgument, "sample 1 weighs \(text), wanted a finite weight of 0 or more") {
                try weighted(data, [1, weight, 1])
            }
        }
        struct Whole: Loss {
            var name: String { "whole" }
            func value(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
                try MSE().value(prediction, target, builder)
            }
        }
        let numbers = try Dataset(inputs: Tensor.zeros(.f32, shape: [2, 3]), targets: Tensor.zeros(.f32, shape: [2, 1]))
        let some = try weighted(numbers, [1, 2])
        let network = try Sequential(input: [3]) { Dense(1) }
        let trainer = try Trainer(network, loss: Whole(), optimizer: SGD(), threads: 1)
        try trainer.fit(numbers, epochs: 1)
        let line = "loss 'whole' gives its mean alone, wanted terms to weight samples by"
        XCTAssertFails(.unsupported, line) { try trainer.fit(some, epochs: 2) }
        XCTAssertFails(.unsupported, line) { try network.evaluate(some, losses: [Whole()]) }
        try trainer.fit(numbers, epochs: 2)
    }
}
