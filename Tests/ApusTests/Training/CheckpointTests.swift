import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

final class CheckpointTests: XCTestCase {
    private let augmentation: [Augmentation] = [.randomShift(fraction: 0.2), .cutout(size: 2)]

    private func callbacks() -> [any Callback] {
        [
            EarlyStopping(monitor: "val_loss", patience: 2, minimumDelta: 1e-3),
            ReduceLROnPlateau(monitor: "loss", factor: 0.5, patience: 1, minimumDelta: 0.2), History(),
        ]
    }

    private func fit(
        _ trainer: Trainer, _ data: Dataset, callbacks: [any Callback], checkpoint: CheckpointPolicy? = nil
    ) throws {
        try trainer.fit(
            data, epochs: 4, validation: .split(0.25), augmentation: augmentation, callbacks: callbacks,
            checkpoint: checkpoint)
    }

    /// Interrupted after any step and resumed from the checkpoint of the step before, training ends with the same bytes
    /// in every state, the same logs and the same weights.
    func testResumesBitForBitFromEveryBatch() throws {
        let data = try SmallTraining.quarters(56)
        let whole = try SmallTraining.trainer()
        let wholeCallbacks = callbacks()
        try fit(whole, data, callbacks: wholeCallbacks)
        let steps = whole.progress.step
        XCTAssertEqual(steps, 12)
        let folder = try ScratchFolder()
        for cut in 2...steps {
            let path = folder.file("\(cut).apus")
            XCTAssertThrowsError(
                try fit(
                    try SmallTraining.trainer(), data, callbacks: callbacks() + [Interruption(afterStep: cut)],
                    checkpoint: CheckpointPolicy(path, everyBatches: 1)))
            let resumed = try SmallTraining.trainer()
            try resumed.restore(path)
            XCTAssertEqual(resumed.progress.step, cut - 1)
            let resumedCallbacks = callbacks()
            try fit(resumed, data, callbacks: resumedCallbacks)
            assertSame(resumed, whole, "from step \(cut - 1)")
            let a = try XCTUnwrap(wholeCallbacks.last as? History), b = try XCTUnwrap(resumedCallbacks.last as? History)
            XCTAssertEqual(a.batchLosses, b.batchLosses)
        }
    }

    /// Also where the network has no random part but the optimizer has a schedule of its own, at other threads.
    func testResumesEveryOptimizer() throws {
        let data = try SmallTraining.quarters(40)
        let optimizers: [any Optimizer] = [
            SGD(learningRate: StepDecay(0.05, factor: 0.5, every: 3), momentum: 0.9, nesterov: true),
            RMSprop(learningRate: ExponentialDecay(0.01, decay: 0.5, steps: 4)), Adagrad(),
            AdamW(learningRate: OneCycle(0.01, steps: 9), clipping: .globalNorm(0.5)),
        ]
        let folder = try ScratchFolder()
        for optimizer in optimizers {
            let path = folder.file("\(optimizer.name).apus")
            let whole = try SmallTraining.trainer(optimizer: optimizer)
            try whole.fit(data, epochs: 3)
            XCTAssertThrowsError(
                try SmallTraining.trainer(optimizer: optimizer).fit(
                    data, epochs: 3, callbacks: [Interruption(afterStep: 6)],
                    checkpoint: CheckpointPolicy(path, everyBatches: 5)))
            let resumed = try SmallTraining.trainer(optimizer: optimizer, threads: 2)
            try resumed.restore(path)
            XCTAssertEqual(resumed.progress.step, 5)
            try resumed.fit(data, epochs: 3)
            assertSame(resumed, whole, optimizer.name)
        }
    }

    private func assertSame(_ a: Trainer, _ b: Trainer, _ what: String) {
        XCTAssertEqual(a.copyStates(), b.copyStates(), what)
        XCTAssertEqual(a.network.parameters.all.map(\.value), b.network.parameters.all.map(\.value), what)
        XCTAssertEqual(a.progress.history.map(\.names), b.progress.history.map(\.names), what)
        XCTAssertEqual(a.progress.history.map(\.values), b.progress.history.map(\.values), what)
        XCTAssertEqual(a.learningRateScale, b.learningRateScale, what)
        XCTAssertEqual(a.stopReason, b.stopReason, what)
    }

    /// Training that early stopping ended stays ended, with the best weights.
    func testStoppedTrainingStaysStopped() throws {
        let data = try SmallTraining.quarters(40), folder = try ScratchFolder()
        func callbacks() -> [any Callback] { [EarlyStopping(monitor: "loss", patience: 1, minimumDelta: 10)] }
        let policy = CheckpointPolicy(folder.file("a.apus"))
        let first = try SmallTraining.trainer()
        try first.fit(data, epochs: 9, callbacks: callbacks(), checkpoint: policy)
        XCTAssertEqual(first.progress.epoch, 2)
        XCTAssertEqual(first.stopReason, "loss has not become better for 1 epochs")
        let second = try SmallTraining.trainer()
        try second.restore(policy.path)
        try second.fit(data, epochs: 9, callbacks: callbacks(), checkpoint: policy)
        XCTAssertEqual(second.progress.epoch, 2)
        assertSame(second, first, "stopped")
    }

    func testCheckpointIsAModelThatRuns() throws {
        let folder = try ScratchFolder(), path = folder.file("a.apus")
        let trainer = try SmallTraining.trainer()
        try trainer.fit(SmallTraining.quarters(40), epochs: 1)
        try trainer.saveCheckpoint(path)
        let model = try ApusRuntime.Model(path: path)
        XCTAssertEqual(model.graph.functions.map(\.name), ["train_step"])
        let session = try Session(model)
        defer { session.destroy() }
        for index in 0..<session.stateCount {
            XCTAssertTrue(session.state(index).elementsEqual(trainer.copyStates()[index]))
        }
    }

    func testPoliciesBySecondsAndEpochs() throws {
        let data = try SmallTraining.quarters(40), folder = try ScratchFolder()
        func step(_ policy: CheckpointPolicy, interruptedAfter step: Int) throws -> Int? {
            XCTAssertThrowsError(
                try SmallTraining.trainer().fit(
                    data, epochs: 5, callbacks: [Interruption(afterStep: step)], checkpoint: policy))
            let trainer = try SmallTraining.trainer()
            return try trainer.restore(ifPresent: policy.path) ? trainer.progress.step : nil
        }
        XCTAssertEqual(try step(CheckpointPolicy(folder.file("a")), interruptedAfter: 8), 6)
        XCTAssertEqual(try step(CheckpointPolicy(folder.file("b"), everySeconds: 0), interruptedAfter: 8), 7)
        XCTAssertEqual(try step(CheckpointPolicy(folder.file("c"), everySeconds: 1e6), interruptedAfter: 8), 6)
        XCTAssertNil(try step(CheckpointPolicy(folder.file("d"), everyEpoch: false), interruptedAfter: 8))
        XCTAssertEqual(try step(CheckpointPolicy(folder.file("e"), everyBatches: 4), interruptedAfter: 6), 4)
    }

    func testRefusesAnotherTraining() throws {
        let folder = try ScratchFolder(), path = folder.file("a.apus")
        try SmallTraining.trainer().saveCheckpoint(path)
        func refusal(_ other: Trainer) -> String {
            let before = other.copyStates()
            let text = message { try other.restore(path) }
            XCTAssertEqual(other.copyStates(), before)
            return text.replacingOccurrences(of: path, with: "FILE")
        }
        let loss = SparseCategoricalCrossEntropy(fromLogits: true)
        let adam = SmallTraining.trainer
        XCTAssertEqual(refusal(try adam(Adam(), 16, 7, 1)), """
            FILE: checkpoint of optimizer Adam(learningRate: CosineDecay(peak: 0.01, steps: 60, alpha: 0.0, \
            initial: 0.0, warmupSteps: 5), beta1: 0.9, beta2: 0.999, epsilon: 1e-07, \
            clipping: GradientClipping.none), wanted Adam(learningRate: 0.001, beta1: 0.9, \
            beta2: 0.999, epsilon: 1e-07, clipping: GradientClipping.none)
            """)
        XCTAssertEqual(
            refusal(try SmallTraining.trainer(batchSize: 8)), "FILE: checkpoint of batch size 16, wanted 8")
        XCTAssertEqual(refusal(try SmallTraining.trainer(seed: 8)), "FILE: checkpoint of seed 7, wanted 8")
        let wide = try Sequential(input: [8, 8, 1]) { Conv2D(5, kernel: 3, padding: .same, usesBias: false) }
        XCTAssertEqual(
            refusal(try Trainer(wide, loss: MSE(), optimizer: Adam())), """
            FILE: checkpoint of another network: state 0 is 'conv2d/kernel' f32[3, 3, 1, 4], \
            wanted 'conv2d/kernel' f32[3, 3, 1, 5]
            """)
        let rate = CosineDecay(0.01, steps: 60, warmupSteps: 5)
        let drier = try Sequential(input: [8, 8, 1], seed: 3) {
            Conv2D(4, kernel: 3, padding: .same, usesBias: false)
            BatchNorm(momentum: 0.9)
            ReLU()
            MaxPool2D(2)
            Flatten()
            Dropout(0.2)
            Dense(4)
        }
        let other = try Trainer(drier, loss: loss, optimizer: Adam(learningRate: rate), batchSize: 16, seed: 7)
        XCTAssertEqual(
            refusal(other),
            "FILE: checkpoint of another training graph: node 'dropout' (Dropout) has other attributes")
        let squared = try Trainer(
            try SmallTraining.network(), loss: MSE(), optimizer: Adam(learningRate: rate), batchSize: 16, seed: 7)
        XCTAssertEqual(
            refusal(squared),
            "FILE: checkpoint of loss sparse_categorical_crossentropy, wanted mean_squared_error")
    }

    /// Precision decides the bits, recomputing does not.
    func testRefusesAnotherPrecisionAndTakesRecomputing() throws {
        let folder = try ScratchFolder(), path = folder.file("a.apus"), data = try SmallTraining.quarters(40)
        func trainer(_ precision: ComputePrecision, recompute: Bool = false) throws -> Trainer {
            try Trainer(
                try ModelLibrary.cifarResNet(depth: 2, widths: [8, 8], input: [8, 8, 1], seed: 4),
                loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: Adam(), batchSize: 16, threads: 1,
                recompute: recompute, precision: precision)
        }
        for (begun, other) in [(ComputePrecision.f32, ComputePrecision.mixedBF16), (.mixedBF16, .f32)] {
            let whole = try trainer(begun)
            try whole.fit(data, epochs: 2)
            try trainer(begun, recompute: true).fit(data, epochs: 1, checkpoint: CheckpointPolicy(path))
            XCTAssertFails(.invalidArgument, "checkpoint of precision \(begun.rawValue), wanted \(other.rawValue)") {
                try trainer(other).restore(path)
            }
            for recompute in [false, true] {
                let resumed = try trainer(begun, recompute: recompute)
                try resumed.restore(path)
                try resumed.fit(data, epochs: 2)
                XCTAssertEqual(resumed.copyStates(), whole.copyStates())
            }
        }
        XCTAssertGreaterThan(
            try trainer(.f32, recompute: true).stepFunction.nodes.count, try trainer(.f32).stepFunction.nodes.count)
    }

    func testRefusesOtherFiles() throws {
        let folder = try ScratchFolder()
        let trainer = try SmallTraining.trainer()
        XCTAssertEqual(
            message { try trainer.restore(folder.file("none")) }, folder.file("none") + ": no such file")
        try trainer.network.export(to: folder.file("model.apus"))
        XCTAssertEqual(
            message { try trainer.restore(folder.file("model.apus")) },
            folder.file("model.apus") + ": a model without a checkpoint, wanted a file that saveCheckpoint wrote")
        let path = folder.file("a.apus")
        try trainer.saveCheckpoint(path)
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        for count in [0, 11, bytes.count / 2, bytes.count - 1] {
            try Data(bytes[..<count]).write(to: URL(fileURLWithPath: path))
            XCTAssertThrowsError(try trainer.restore(path), "\(count) bytes")
        }
        var flipped = bytes
        flipped[bytes.count - 100] ^= 4
        try Data(flipped).write(to: URL(fileURLWithPath: path))
        XCTAssertTrue(message { try trainer.restore(path) }.contains("weights of SHA-256"))
    }

    func testRefusesOtherDataWithinAnEpoch() throws {
        let folder = try ScratchFolder(), path = folder.file("a.apus")
        XCTAssertThrowsError(
            try SmallTraining.trainer().fit(
                SmallTraining.quarters(40), epochs: 2, callbacks: [Interruption(afterStep: 2)],
                checkpoint: CheckpointPolicy(path, everyBatches: 1)))
        let trainer = try SmallTraining.trainer()
        try trainer.restore(path)
        XCTAssertEqual(
            message { try trainer.fit(SmallTraining.quarters(50), epochs: 2) },
            "an epoch begun on 40 samples, resumed on 50")
    }

    /// Each writer has a temporary file of its own, so that a file is always one of them whole.
    func testWritersOfOnePathDoNotShareATemporaryFile() throws {
        let folder = try ScratchFolder(), path = folder.file("a.bin")
        DispatchQueue.concurrentPerform(iterations: 64) { writer in
            let bytes = [UInt8](repeating: UInt8(writer), count: 50_000 + writer)
            do { try AtomicFile.write(bytes, to: path) } catch { XCTFail("\(error)") }
            if let found = FileManager.default.contents(atPath: path), let first = found.first {
                XCTAssertEqual(found, Data(repeating: first, count: 50_000 + Int(first)))
            }
        }
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), ["a.bin"])
    }

    func testRemovesLeftoversOfDeadWriters() throws {
        let folder = try ScratchFolder(), path = folder.file("a.apus")
        let dead = Process()
        dead.executableURL = URL(fileURLWithPath: "/bin/true")
        try dead.run()
        dead.waitUntilExit()
        let leftover = try folder.write([1, 2], "a.apus.\(dead.processIdentifier).0.tmp")
        let mine = try folder.write([1, 2], "a.apus.\(getpid()).0.tmp")
        let living = try folder.write([1, 2], "a.apus.\(getppid()).3.tmp")
        let stranger = try folder.write([1, 2], "b.apus.\(dead.processIdentifier).0.tmp")
        try SmallTraining.trainer().saveCheckpoint(path)
        XCTAssertFalse(FileManager.default.fileExists(atPath: leftover))
        XCTAssertFalse(FileManager.default.fileExists(atPath: mine), "of a process that had this one's number")
        XCTAssertTrue(FileManager.default.fileExists(atPath: living))
        XCTAssertTrue(FileManager.default.fileExists(atPath: stranger))
    }
}
