import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus

/// Several batches to an update of the weights.
final class GradientAccumulationTests: XCTestCase {
    private let loss = SparseCategoricalCrossEntropy(fromLogits: true)

    private func network() throws -> Network {
        try Sequential(input: [8, 8, 1], seed: 3) {
            Conv2D(4, kernel: 3, activation: .relu)
            Flatten()
            Dense(4, kernelRegularizer: L2(0.01))
        }
    }

    /// Four batches of 8 are one of 32, also where an epoch ends within the four and within a batch: 44 = 32 + 8 + 4.
    func testIsTheLargeBatch() throws {
        let data = try SmallTraining.quarters(44)
        let optimizers: [any Optimizer] = [
            SGD(learningRate: 0.05), SGD(learningRate: StepDecay(0.05, factor: 0.5, every: 3), momentum: 0.9),
            Adam(learningRate: 0.01, epsilon: 1e-3), Adam(learningRate: 0.01, epsilon: 1e-3, clipping: .globalNorm(0.1)),
            AdamW(learningRate: 0.01, epsilon: 1e-3, clipping: .value(0.01)),
        ]
        for optimizer in optimizers {
            func trained(_ size: Int, _ accumulation: Int) throws -> Trainer {
                let trainer = try Trainer(
                    try network(), loss: loss, optimizer: optimizer, metrics: [Accuracy()], batchSize: size, seed: 7, threads: 1,
                    gradientAccumulation: accumulation)
                try trainer.fit(data, epochs: 3)
                return trainer
            }
            let small = try trained(8, 4), large = try trained(32, 1), alone = try trained(8, 1)
            XCTAssertEqual(small.progress.step, 6)
            XCTAssertEqual(small.accumulatedBatches, 0)
            for (s, l) in zip(small.network.parameters.all, large.network.parameters.all) {
                assertClose(try s.value.doubles(), try l.value.doubles(), 1e-6, "\(optimizer.name) \(s.name)")
            }
            for (s, l) in zip(small.progress.history, large.progress.history) {
                XCTAssertEqual(s.names, l.names)
                assertClose(s.values, l.values, 1e-5, optimizer.name)
            }
            let kernel = try small.network.doubles("dense/kernel"), other = try alone.network.doubles("dense/kernel")
            XCTAssertGreaterThan(zip(kernel, other).map { abs($0 - $1) }.max()!, 1e-3, "more updates end elsewhere")
        }
    }

    /// Where clipping keeps an infinite gradient from the weights, the next group begins anew.
    func testASumThatOverflowsEndsWithItsGroup() throws {
        let trainer = try Trainer(
            try Sequential(input: [2], seed: 1) { Dense(1) }, loss: MSE(), optimizer: SGD(learningRate: 0.1, clipping: .value(0.5)),
            batchSize: 1, threads: 1, gradientAccumulation: 2)
        func step(_ x: Float) throws {
            let inputs = try Tensor([x, 1], shape: [1, 2])
            try trainer.step(Batch(try Dataset(inputs: inputs, targets: Tensor([Float(0)], shape: [1, 1]))))
        }
        func weights() throws -> [Double] {
            try trainer.updateNetwork()
            return try trainer.network.parameters.all.flatMap { try $0.value.doubles() }
        }
        for x: Float in [1e25, 1] { try step(x) }
        let clipped = try weights()
        XCTAssertTrue(clipped.allSatisfy { $0.isFinite }, "\(clipped)")
        for x: Float in [1, 2] { try step(x) }
        let further = try weights()
        XCTAssertTrue(further.allSatisfy { $0.isFinite }, "\(further)")
        XCTAssertNotEqual(further, clipped)
    }

    func testTakesTheMemoryOfOneBatch() throws {
        func bytes(_ size: Int, _ accumulation: Int) throws -> Int {
            let network = try ModelLibrary.cifarResNet(depth: 2, widths: [16, 16], input: [32, 32, 3], seed: 4)
            return try Trainer(
                network, loss: loss, optimizer: Adam(), batchSize: size, threads: 1, gradientAccumulation: accumulation
            ).sessionBytes
        }
        let small = try bytes(8, 4), large = try bytes(32, 1), alone = try bytes(8, 1)
        XCTAssertLessThan(Double(small), 0.3 * Double(large))
        XCTAssertLessThan(Double(small), 1.1 * Double(alone))
    }

    // MARK: Resuming

    /// Ends training as an exception would, when `train_step` has run so often.
    private final class Cut: Callback {
        let run: Int
        init(_ run: Int) { self.run = run }

        func batchEnded(
            _ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]
        ) throws(ApusError) {
            if trainer.stepsRun >= run { throw .argument("cut") }
        }
    }

    /// Interrupted after any batch and resumed from the checkpoint of the one before, training ends with the same bytes in
    /// every state and the same logs, and does so on two threads.
    private func assertResumes(
        _ data: Dataset, runs: Int, steps: Int, _ fresh: (_ threads: Int) throws -> Trainer, line: UInt = #line
    ) throws {
        let folder = try ScratchFolder(), whole = try fresh(1), other = try fresh(2)
        try whole.fit(data, epochs: 3)
        try other.fit(data, epochs: 3)
        XCTAssertEqual(whole.stepsRun, runs, line: line)
        XCTAssertEqual(whole.progress.step, steps, line: line)
        XCTAssertEqual(other.copyStates(), whole.copyStates(), line: line)
        var within = 0
        for cut in 2...runs {
            let path = folder.file("\(cut).apus")
            XCTAssertThrowsError(
                try fresh(1).fit(
                    data, epochs: 3, callbacks: [Cut(cut)], checkpoint: CheckpointPolicy(path, everyBatches: 1)), line: line)
            let resumed = try fresh(2)
            guard try resumed.restore(ifPresent: path) else { continue }
            within += resumed.accumulatedBatches > 0 ? 1 : 0
            try resumed.fit(data, epochs: 3)
            XCTAssertEqual(resumed.copyStates(), whole.copyStates(), "from batch \(cut - 1)", line: line)
            XCTAssertEqual(resumed.progress.step, steps, line: line)
            XCTAssertEqual(
                resumed.progress.history.map(\.values), whole.progress.history.map(\.values), "from \(cut - 1)", line: line)
        }
        XCTAssertGreaterThan(within, 2, "some groups were cut", line: line)
    }

    /// With dropout and batch norms: five batches of 8 an epoch, in groups of three and two.
    func testResumesWithinAGroup() throws {
        let rate = CosineDecay(0.01, steps: 6, warmupSteps: 2)
        for (precision, recompute) in [(ComputePrecision.f32, false), (.mixedBF16, true)] {
            try assertResumes(try SmallTraining.quarters(40), runs: 15, steps: 6) { threads in
                try Trainer(
                    try SmallTraining.network(), loss: self.loss, optimizer: Adam(learningRate: rate), batchSize: 8, seed: 7,
                    threads: threads, gradientAccumulation: 3, recompute: recompute, precision: precision)
            }
        }
    }

    /// Stages that train ranges, then fix them, within groups too.
    func testResumesQuantizationAware() throws {
        try assertResumes(try SmallTraining.quarters(40), runs: 15, steps: 9) { threads in
            let network = try self.network()
            try network.quantizationAware(.int8, ranges: .learned(afterEpoch: 1))
            try network.freezeObservers(afterEpoch: 2)
            return try Trainer(
                network, loss: self.loss, optimizer: Adam(), batchSize: 8, seed: 7, threads: threads, gradientAccumulation: 2)
        }
    }

    private func windows(_ accumulation: Int, rate: Double = 0.1, threads: Int = 1) throws -> Trainer {
        let network = try Sequential(input: [4, 3], seed: 5) { LSTM(5, returnSequences: true); Dense(2) }
        return try Trainer(
            network, loss: MSE(), optimizer: SGD(learningRate: rate), batchSize: 2, seed: 7, threads: threads, window: 4,
            gradientAccumulation: accumulation)
    }

    private func sequences(_ count: Int) throws -> Dataset {
        var random = Philox(seed: 3)
        func tensor(_ width: Int) throws -> Tensor {
            try Tensor((0..<count * 12 * width).map { _ in Float(random.normal()) }, shape: [count, 12, width])
        }
        return try Dataset(inputs: tensor(3), targets: tensor(2))
    }

    /// Two batches of three windows: updates after four windows and at the epoch's end.
    func testWindowsCountAsBatches() throws {
        try assertResumesWindows()
        let data = try sequences(2), batch = try data.batches(size: 2).batch(at: 0)
        let whole = try windows(3)
        let before = try whole.parameterValues().map { try $0.doubles() }
        for part in try whole.windows(of: batch) { try whole.step(part) }
        // The mean of what each window alone would have changed.
        var mean = before.map { $0.map { _ in 0.0 } }
        for only in 0..<3 {
            let one = try windows(1)
            for (index, part) in try one.windows(of: batch).enumerated() {
                one.learningRateOverride = index == only ? 0.1 : 0
                try one.step(part)
            }
            for (i, value) in try one.parameterValues().enumerated() {
                for (j, x) in try value.doubles().enumerated() { mean[i][j] += (x - before[i][j]) / 3 }
            }
        }
        for (i, value) in try whole.parameterValues().enumerated() {
            assertClose(zip(try value.doubles(), before[i]).map { $0 - $1 }, mean[i], 1e-7)
        }
    }

    private func assertResumesWindows() throws {
        let data = try sequences(4), whole = try windows(4)
        try whole.fit(data, epochs: 3)
        XCTAssertEqual([whole.stepsRun, whole.progress.step], [18, 6])
        let folder = try ScratchFolder(), path = folder.file("a.apus")
        for cut in [6, 9, 12, 15] {
            XCTAssertThrowsError(
                try windows(4).fit(
                    data, epochs: 3, callbacks: [Cut(cut)], checkpoint: CheckpointPolicy(path, everyBatches: 3)))
            let resumed = try windows(4, threads: 2)
            try resumed.restore(path)
            try resumed.fit(data, epochs: 3)
            XCTAssertEqual(resumed.copyStates(), whole.copyStates(), "cut at \(cut)")
        }
    }

    // MARK: A loop of one's own, errors

    func testStepsOfOnesOwn() throws {
        let data = try SmallTraining.quarters(20)
        func trainer(_ accumulation: Int) throws -> Trainer {
            try Trainer(
                try network(), loss: loss, optimizer: SGD(learningRate: 0.1), batchSize: 20, threads: 1,
                gradientAccumulation: accumulation)
        }
        let parts = try trainer(3), whole = try trainer(1), before = try parts.parameterValues()
        try parts.updateWeights()
        XCTAssertEqual(parts.progress.step, 0)
        try parts.step(Batch(data.rows(0..<12)))
        try parts.step(Batch(data.rows(12..<20)))
        XCTAssertEqual(try parts.parameterValues(), before)
        XCTAssertEqual([parts.accumulatedBatches, parts.progress.step], [2, 0])
        try parts.updateWeights()
        XCTAssertEqual([parts.accumulatedBatches, parts.progress.step], [0, 1])
        try whole.step(Batch(data))
        try whole.updateWeights()
        XCTAssertEqual(whole.progress.step, 1)
        for (p, w) in zip(try parts.parameterValues(), try whole.parameterValues()) {
            assertClose(try p.doubles(), try w.doubles(), 1e-6)
        }
    }

    func testRefusals() throws {
        func trainer(_ accumulation: Int) throws -> Trainer {
            try Trainer(try network(), loss: loss, optimizer: SGD(), gradientAccumulation: accumulation)
        }
        XCTAssertEqual(
            message { _ = try trainer(0) }, "gradients of 0 batches accumulated, wanted 1 ... 1048576")
        let folder = try ScratchFolder(), path = folder.file("a.apus")
        try trainer(4).saveCheckpoint(path)
        let model = try ApusRuntime.Model(path: path)
        XCTAssertEqual(model.graph.functions.map(\.name), ["train_step", "update"])
        let other = try trainer(2), plain = try trainer(1)
        XCTAssertEqual(
            message { try other.restore(path) }, "\(path): checkpoint of gradient accumulation 4, wanted 2")
        XCTAssertEqual(
            message { try plain.restore(path) }, "\(path): checkpoint of gradient accumulation 4, wanted 1")
        try plain.saveCheckpoint(path)
        let text = try String(decoding: Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        XCTAssertFalse(text.contains("ccumulat"), "nothing of it in the file where there is none")
    }

    func testNaNStopFindsTheSampleAndTheUpdate() throws {
        func trainer(_ rate: Double) throws -> Trainer {
            try Trainer(
                try Sequential(input: [1]) { Dense(1, kernelInitializer: Filled(1)) }, loss: MSE(),
                optimizer: SGD(learningRate: rate), batchSize: 1, seed: 1, gradientAccumulation: 2)
        }
        var values = [Float](repeating: 30, count: 6)
        let zeros = try Tensor.zeros(.f32, shape: [6, 1])
        func fit(_ rate: Double) throws {
            let data = try Dataset(inputs: Tensor(values, shape: [6, 1]), targets: zeros)
            try trainer(rate).fit(data, epochs: 1, callbacks: [NaNStop()])
        }
        let text = message { try fit(1e38) }
        XCTAssertTrue(text.contains("epoch 1, batch 3: 'dense/"), text)
        XCTAssertTrue(text.hasSuffix("is not finite after the update at batch 2"), text)
        values[4] = .nan
        let sample = message { try fit(1e-4) }
        XCTAssertTrue(sample.hasSuffix("'input' of sample 4 is not finite"), sample)
    }
}
