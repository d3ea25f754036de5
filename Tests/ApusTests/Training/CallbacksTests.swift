import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

final class CallbacksTests: XCTestCase {
    private func log(_ epoch: Int, _ values: [String: Double]) -> EpochLog {
        var log = EpochLog(epoch: epoch)
        for (name, value) in values.sorted(by: { $0.key < $1.key }) { log[name] = value }
        return log
    }

    func testEarlyStoppingRestoresTheBestWeights() throws {
        let trainer = try SmallTraining.trainer()
        let stopping = EarlyStopping(monitor: "val_loss", patience: 2, minimumDelta: 0.1)
        stopping.trainingBegan(trainer, epochs: 9)
        var best: [Tensor] = []
        for (epoch, loss) in [1, 0.5, 0.45, 0.6].enumerated() {
            try trainer.fit(SmallTraining.quarters(20), epochs: epoch + 1)
            XCTAssertNil(trainer.stopReason)
            try stopping.epochEnded(trainer, log(epoch, ["val_loss": loss]))
            if epoch == 1 { best = try trainer.parameterValues() }
        }
        XCTAssertEqual(trainer.stopReason, "val_loss has not become better for 2 epochs")
        XCTAssertEqual(stopping.best, 0.5)
        XCTAssertEqual(stopping.bestEpoch, 1)
        XCTAssertNotEqual(try trainer.parameterValues(), best)
        stopping.trainingEnded(trainer)
        XCTAssertEqual(try trainer.parameterValues(), best)
        XCTAssertEqual(trainer.network.parameters.all.map(\.value), best)
    }

    func testMonitorKnowsWhichWayIsUp() throws {
        XCTAssertTrue(Monitor("val_accuracy").isBetter(0.9, than: 0.8))
        XCTAssertFalse(Monitor("val_accuracy").isBetter(0.9, than: 0.8, by: 0.2))
        XCTAssertTrue(Monitor("val_loss").isBetter(0.7, than: 0.8))
        XCTAssertFalse(Monitor("loss").isBetter(.nan, than: nil))
        XCTAssertFalse(Monitor("loss").isBetter(.nan, than: 1))
        XCTAssertTrue(Monitor("score", goal: .largest).isBetter(2, than: 1))
        let stopping = EarlyStopping()
        XCTAssertEqual(
            message { try stopping.epochEnded(SmallTraining.trainer(), log(0, ["loss": 1, "mae": 2])) },
            "epoch without 'val_loss' to watch, measured were loss, mae")
    }

    func testReduceOnPlateau() throws {
        let trainer = try SmallTraining.trainer(optimizer: SGD(learningRate: 0.1))
        let reduce = ReduceLROnPlateau(
            monitor: "loss", factor: 0.5, patience: 2, minimumDelta: 0.05, cooldown: 1, minimumRate: 0.02)
        var rates: [Double] = []
        for (epoch, loss) in [1, 1, 1, 1, 1, 1, 0.5, 0.49, 0.48, 0.47, 0.46].enumerated() {
            try reduce.epochEnded(trainer, log(epoch, ["loss": loss]))
            rates.append(trainer.learningRate)
        }
        XCTAssertEqual(rates, [0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025, 0.02, 0.02, 0.02])
    }

    func testLearningRateScheduler() throws {
        final class Rates: Callback {
            var seen: [Double] = []
            func batchEnded(_ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]) {
                seen.append(trainer.learningRate)
            }
        }
        let rates = Rates()
        try SmallTraining.trainer().fit(
            SmallTraining.quarters(20), epochs: 2, callbacks: [LearningRateScheduler { [0.5, 0.25][$0] }, rates])
        XCTAssertEqual(rates.seen, [0.5, 0.5, 0.25, 0.25])
        XCTAssertEqual(
            message {
                try SmallTraining.trainer().fit(
                    SmallTraining.quarters(20), epochs: 1, callbacks: [LearningRateScheduler { _ in -1 }])
            }, "learning rate -1.0 for epoch 1, wanted 0 or more")
    }

    func testModelCheckpointKeepsTheBest() throws {
        let folder = try ScratchFolder(), trainer = try SmallTraining.trainer()
        let best = ModelCheckpoint(folder.file("best.apus"), monitor: "val_accuracy")
        let every = ModelCheckpoint(folder.file("{epoch}.apus"))
        var expected: Tensor?
        let sample = try Tensor([Float](repeating: 0.5, count: 64), shape: [1, 8, 8, 1])
        for (epoch, accuracy) in [0.5, 0.9, 0.7].enumerated() {
            try trainer.fit(SmallTraining.quarters(20), epochs: epoch + 1)
            for callback in [best, every] { try callback.epochEnded(trainer, log(epoch, ["val_accuracy": accuracy])) }
            if epoch == 1 { expected = try trainer.network.predict(sample) }
        }
        func predict(_ name: String) throws -> Tensor {
            try Runner(ApusRuntime.Model(path: folder.file(name)).graph).run([sample])[0]
        }
        XCTAssertEqual(try predict("best.apus"), expected)
        XCTAssertEqual(try predict("2.apus"), expected)
        XCTAssertNotEqual(try predict("3.apus"), expected)
    }

    func testCSVLogGoesOnWhereTrainingDoes() throws {
        let folder = try ScratchFolder(), path = folder.file("log.csv")
        let data = try SmallTraining.quarters(20)
        func lines() throws -> [[Substring]] {
            try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
                $0.split(separator: ",").dropLast()
            }
        }
        try SmallTraining.trainer().fit(data, epochs: 3, callbacks: [CSVLog(path)])
        let whole = try lines()
        XCTAssertEqual(whole[0], ["epoch", "loss", "accuracy", "auroc", "learning_rate"])
        XCTAssertEqual(whole.dropFirst().map { $0[0] }, ["1", "2", "3"])
        // The checkpoint is of epoch 1, the log went on to 2.
        let checkpoint = folder.file("a.apus")
        let first = try SmallTraining.trainer()
        try first.fit(data, epochs: 1, callbacks: [CSVLog(path)], checkpoint: CheckpointPolicy(checkpoint))
        XCTAssertEqual(try lines().count, 2)
        try first.fit(data, epochs: 2, callbacks: [CSVLog(path)])
        XCTAssertEqual(try lines(), Array(whole[..<3]))
        let second = try SmallTraining.trainer()
        try second.restore(checkpoint)
        try second.fit(data, epochs: 3, callbacks: [CSVLog(path)])
        XCTAssertEqual(try lines(), whole)
        // A metric less.
        let other = try Trainer(
            SmallTraining.network(), loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: Adam())
        other.progress.epoch = 3
        XCTAssertEqual(
            message { try other.fit(data, epochs: 4, callbacks: [CSVLog(path)]) },
            "\(path): columns epoch,loss,accuracy,auroc,learning_rate,seconds, "
                + "wanted epoch,loss,learning_rate,seconds")
    }

    func testHistory() throws {
        let history = History()
        let log = try SmallTraining.trainer().fit(SmallTraining.quarters(20), epochs: 3, callbacks: [history])
        XCTAssertEqual(history.epochs, log)
        XCTAssertEqual(history["loss"], log.map { $0["loss"] })
        XCTAssertEqual(history.batchLosses.count, 6)
        let mean = (history.batchLosses[0] * 16 + history.batchLosses[1] * 4) / 20
        XCTAssertEqual(mean, history["loss"][0], accuracy: 1e-12)
    }

    // MARK: NaN

    private final class Logarithm: Layer {
        override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
            [try context(.log, inputs[0])]
        }
    }

    /// x → dense → log → dense, with one sample of zeros at `zero`.
    private func logarithmic(zero: Int, value: Float = 0) throws -> (Trainer, Dataset) {
        let network = try Sequential(input: [2]) {
            Dense(2, usesBias: false, kernelInitializer: Filled(0.5))
            Logarithm(name: "dense_1")
            Dense(1)
        }
        var x = [Float](repeating: 1, count: 80)
        (x[2 * zero], x[2 * zero + 1]) = (value, value)
        let trainer = try Trainer(
            network, loss: MSE(), optimizer: SGD(learningRate: 1e-3), batchSize: 4, seed: 1)
        let targets = try Tensor([Float](repeating: 1, count: 40), shape: [40, 1])
        return (trainer, try Dataset(inputs: Tensor(x, shape: [40, 2]), targets: targets))
    }

    private func position(of sample: Int, _ data: Dataset) throws -> Int {
        try data.batches(size: 4, shuffleSeed: 1).first { $0.indices.contains(sample) }!.position + 1
    }

    func testNaNStopNamesTheOperator() throws {
        for interval in [1, 3, 64] {
            let (trainer, data) = try logarithmic(zero: 7)
            let batch = try position(of: 7, data)
            let text = message { try trainer.fit(data, epochs: 1, callbacks: [NaNStop(interval: interval)]) }
            XCTAssertTrue(text.hasPrefix("loss is "), text)
            XCTAssertTrue(text.hasSuffix(" at epoch 1, batch \(batch): first not finite in 'dense_1' (Log)"), text)
            XCTAssertFalse(trainer.finiteStates().contains(false))
        }
    }

    func testNaNStopNamesTheSample() throws {
        let (trainer, data) = try logarithmic(zero: 11, value: .nan)
        let batch = try position(of: 11, data)
        XCTAssertEqual(
            message { try trainer.fit(data, epochs: 1, callbacks: [NaNStop()]) },
            "loss is nan at epoch 1, batch \(batch): 'input' of sample 11 is not finite")
    }

    /// The loss is still finite when the weights are not any more.
    func testNaNStopFindsAnUpdateOneBatchBefore() throws {
        let network = try Sequential(input: [1]) { Dense(1, kernelInitializer: Filled(1)) }
        let trainer = try Trainer(
            network, loss: MSE(), optimizer: SGD(learningRate: 1e38), batchSize: 1, seed: 1)
        let data = try Dataset(
            inputs: Tensor([Float](repeating: 30, count: 6), shape: [6, 1]),
            targets: Tensor.zeros(.f32, shape: [6, 1]))
        let text = message { try trainer.fit(data, epochs: 1, callbacks: [NaNStop()]) }
        XCTAssertTrue(text.contains("epoch 1, batch 2: first not finite in 'update/dense/"), text)
        XCTAssertTrue(text.hasSuffix("(Sgd) at batch 1"), text)
    }

    // MARK: Progress

    private func shown(isTerminal: Bool, columns: Int = 80, quiet: Bool = false) throws -> String {
        var time = 0.0, text = ""
        let bar = ProgressBar(
            quiet: quiet, isTerminal: isTerminal, interval: 2, columns: { columns },
            now: {
                time += 1
                return time
            }, write: { text += $0 })
        let network = try Sequential(input: [8, 8, 1]) { Flatten(); Dense(4, kernelInitializer: Filled(0)) }
        let trainer = try Trainer(
            network, loss: SparseCategoricalCrossEntropy(fromLogits: true),
            optimizer: SGD(learningRate: 0.0), batchSize: 16)
        try trainer.fit(SmallTraining.quarters(72), epochs: 1, callbacks: [bar])
        return text.replacingOccurrences(of: "[0-9]\\.[0-9]s  ", with: "TIME  ", options: .regularExpression)
    }

    func testProgressInATerminal() throws {
        XCTAssertEqual(
            try shown(isTerminal: true).replacingOccurrences(of: "\u{1B}[K", with: "")
                .components(separatedBy: .init(charactersIn: "\r\n")),
            [
                "Epoch 1/1", "",
                "2/5 [============>.................] 16 samples/s  ETA TIME  loss 1.3863",
                "4/5 [========================>.....] 16 samples/s  ETA TIME  loss 1.3863",
                "5/5 [==============================] TIME  14 samples/s  loss 1.3863", "",
            ])
    }

    func testProgressInANarrowTerminal() throws {
        XCTAssertTrue(try shown(isTerminal: true, columns: 30).contains("\r4/5 [========================\u{1B}[K"))
    }

    func testProgressInALogFile() throws {
        XCTAssertEqual(
            try shown(isTerminal: false).split(separator: "\n"),
            [
                "epoch 1/1  batch 2/5  16 samples/s  ETA TIME  loss 1.3863",
                "epoch 1/1  batch 4/5  16 samples/s  ETA TIME  loss 1.3863",
                "epoch 1/1  TIME  14 samples/s  loss 1.3863",
            ])
        XCTAssertEqual(try shown(isTerminal: true, quiet: true), "")
    }

    func testProgressPieces() {
        XCTAssertEqual(ProgressText.counter(7, of: 250), "  7/250")
        XCTAssertEqual(ProgressText.bar(0, of: 10, width: 10), "[>.........]")
        XCTAssertEqual(ProgressText.bar(5, of: 10, width: 10), "[=====>....]")
        XCTAssertEqual(ProgressText.bar(10, of: 10, width: 10), "[==========]")
        XCTAssertEqual(
            [0.84, 12.4, 187, 3723, .infinity].map(ProgressText.duration), ["0.8s", "12s", "3:07", "1:02:03", "?"])
        XCTAssertEqual(
            [0.5, 12345.6, 0, 1e-5, 2.5e6].map(ProgressText.number),
            ["0.5000", "12345.6000", "0.0000", "1.000e-05", "2.500e+06"])
        XCTAssertEqual([12, 21250].map(ProgressText.rate), ["12 samples/s", "21.2k samples/s"])
    }
}
