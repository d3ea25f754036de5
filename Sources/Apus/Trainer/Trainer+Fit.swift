import ApusGraph
import Foundation

/// What an epoch is validated on.
public enum Validation: Sendable {
    case none
    /// A seeded share of the training data, held out.
    case split(Double)
    /// Classes are those of the training data, by their names where both have some.
    case data(any SampleSource)
}

extension Trainer {
    /// Trains until `epochs` epochs are completed, counting those before a resume.
    ///
    /// It begins with the network's weights, also those that were loaded or set since the trainer was made; after it the network
    /// holds the trained ones. Returns what each epoch measured. After `restore` it goes on from the checkpoint, within an epoch
    /// too; data, validation, augmentation and callbacks are then those of the first run. So it does after an error that the data
    /// or a callback threw.
    ///
    /// - Throws: `.invalidArgument` for data that make no batch, and what the data, the losses and callbacks throw.
    @discardableResult
    public func fit(
        _ data: any SampleSource, epochs: Int, validation: Validation = .none, augmentation: [Augmentation] = [],
        callbacks: [any Callback] = [], checkpoint: CheckpointPolicy? = nil
    ) throws(ApusError) -> [EpochLog] {
        var training = data
        var held: (any SampleSource)?
        switch validation {
        case .none: break
        case .split(let share):
            let parts = try data.split(validation: share, seed: seed)
            (training, held) = (parts.training, parts.validation)
        case .data(let other):
            do throws(ApusError) { held = try other.numbered(by: data.classNames) } catch { throw error.within("validation") }
        }
        try check(training, held)
        activeCallbacks = callbacks
        defer { activeCallbacks = [] }
        for callback in callbacks { try callback.trainingBegan(self, epochs: epochs) }
        if let restored = restoredCallbacks {
            try CheckpointedCallback.restore(restored, to: callbacks)
            restoredCallbacks = nil
        } else {
            stopReason = nil
        }
        var saver = checkpoint.map { CheckpointSaver($0) }
        try plan(epoch: progress.epoch, weighsSamples: training.hasWeights)
        try takeNewValues()
        if let quantization = network.quantization, !quantization.stage(epoch: progress.epoch).observes {
            try updateNetwork()
            try quantization.requireRanges(network.parameters)
        }
        while progress.epoch < epochs && stopReason == nil {
            let log = try runEpoch(training, held, augmentation, &saver)
            progress.history.append(log)
            progress.epoch += 1
            progress.batch = 0
            try plan(epoch: progress.epoch)
            lastEpochSamples = running?.samplesSeen ?? 0
            running = nil
            for callback in callbacks { try callback.epochEnded(self, log) }
            try saver?.epochEnded(self, isLast: progress.epoch >= epochs || stopReason != nil)
        }
        try updateNetwork()
        for callback in callbacks { try callback.trainingEnded(self) }
        return progress.history
    }

    private func check(_ training: any SampleSource, _ held: (any SampleSource)?) throws(ApusError) {
        let least = window == nil ? 1 : batchSize
        guard training.count >= least else {
            throw .argument("training on \(training.count) samples, wanted \(least) or more")
        }
        if running != nil, program.weighsSamples != training.hasWeights {
            let (begun, found) = program.weighsSamples ? ("with", "without") : ("without", "with")
            throw .argument("an epoch begun on samples \(begun) weights, resumed on samples \(found) weights")
        }
        guard let held else { return }
        guard held.count > 0 else { throw .argument("validation on 0 samples, wanted 1 or more") }
        for input in held.inputFields where window != nil && input.shape.first != window {
            let found = "\(input.dtype.name) \([held.count] + input.shape)"
            throw .shape("validation on '\(input.name)' \(found), wanted sequences of the window's \(window!)")
        }
    }

    private func runEpoch(
        _ training: any SampleSource, _ held: (any SampleSource)?, _ augmentation: [Augmentation],
        _ saver: inout CheckpointSaver?
    ) throws(ApusError) -> EpochLog {
        var began = Date()
        if let running, running.sampleCount != training.count {
            throw .argument(
                "an epoch begun on \(running.sampleCount) samples, resumed on \(training.count)")
        }
        running = running
            ?? RunningEpoch(sampleCount: training.count, outputs: network.outputs.count, metrics: metrics)
        let batches = try training.batches(
            size: batchSize, shuffleSeed: seed, epoch: progress.epoch, dropLast: window != nil, augmentation: augmentation,
            startingAt: progress.batch)
        self.batches = batches
        defer { self.batches = nil }
        for callback in activeCallbacks { try callback.epochBegan(self, batches: batches.count) }
        let iterator = batches.makeIterator()
        while let batch = iterator.next() {
            var loss = 0.0
            let parts = try windows(of: batch)
            for (index, part) in parts.enumerated() {
                let rate = learningRate, isLast = batch.position == batches.count - 1 && index == parts.count - 1
                loss = try run(part, learningRate: rate)
                try running!.gather(part, loss, self)
                if try endStep(learningRate: rate, endsEpoch: isLast) { progress.step += 1 }
            }
            progress.batch += 1
            for callback in activeCallbacks {
                try callback.batchEnded(
                    self, loss: loss, meanLoss: running!.loss.value, metrics: running!.metrics)
            }
            let now = Date()
            running!.seconds += now.timeIntervalSince(began)
            began = now
            try saver?.batchEnded(self)
        }
        try iterator.check()
        var log = running!.log(epoch: progress.epoch, network)
        if held != nil || !activeCallbacks.isEmpty { try updateNetwork() }
        if let held {
            let evaluation = try network.evaluate(
                held, losses: losses, lossWeights: lossWeights, metrics: metrics, batchSize: batchSize,
                threads: threads)
            for (name, value) in zip(evaluation.names, evaluation.values) { log["val_" + name] = value }
        }
        log.seconds += Date().timeIntervalSince(began)
        return log
    }
}

extension RunningEpoch {
    /// Adds a batch that the trainer has just run.
    mutating func gather(_ batch: Batch, _ loss: Double, _ trainer: Trainer) throws(ApusError) {
        samplesSeen += batch.count
        self.loss.update(loss: loss, samples: batch.count)
        for i in outputLosses.indices {
            outputLosses[i].update(loss: try trainer.scalar(trainer.program.firstOutputLoss + i), samples: batch.count)
        }
        guard !metrics.isEmpty else { return }
        let targets = try trainer.targets(batch)
        for i in metrics.indices {
            let output = metrics[i].output
            try metrics[i].update(predictions: try trainer.prediction(output), targets: targets[output].tensor)
        }
    }

    func log(epoch: Int, _ network: Network) -> EpochLog {
        var log = EpochLog(epoch: epoch)
        log["loss"] = loss.value
        for (i, loss) in outputLosses.enumerated() { log["\(network.outputName(i))_loss"] = loss.value }
        for metric in metrics { log.add(metric, outputs: network.outputNames) }
        log.seconds = seconds
        return log
    }
}
