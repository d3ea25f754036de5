import ApusGraph
import Foundation

/// What an epoch is validated on.
public enum Validation: Sendable {
    case none
    /// A seeded share of the training data, held out.
    case split(Double)
    case data(Dataset)
}

extension Trainer {
    /// Trains until `epochs` epochs are completed, counting those before a resume.
    ///
    /// After it the network holds the trained weights. Returns what each epoch measured.
    @discardableResult
    public func fit(
        _ data: Dataset, epochs: Int, validation: Validation = .none, augmentation: [Augmentation] = [],
        callbacks: [any Callback] = []
    ) throws(ApusError) -> [EpochLog] {
        var training = data
        var held: Dataset?
        switch validation {
        case .none: break
        case .split(let share): (training, held) = try data.split(validation: share, seed: seed)
        case .data(let other): held = other
        }
        stopReason = nil
        for callback in callbacks { try callback.trainingBegan(self, epochs: epochs) }
        while progress.epoch < epochs && stopReason == nil {
            let log = try runEpoch(training, held, augmentation, callbacks, epochs)
            progress.history.append(log)
            progress.epoch += 1
            progress.batch = 0
            for callback in callbacks { try callback.epochEnded(self, log) }
        }
        try updateNetwork()
        for callback in callbacks { try callback.trainingEnded(self) }
        return progress.history
    }

    private func runEpoch(
        _ training: Dataset, _ held: Dataset?, _ augmentation: [Augmentation], _ callbacks: [any Callback],
        _ epochs: Int
    ) throws(ApusError) -> EpochLog {
        let began = Date()
        let batches = try training.batches(
            size: batchSize, shuffleSeed: seed, epoch: progress.epoch, augmentation: augmentation,
            startingAt: progress.batch)
        for callback in callbacks { try callback.epochBegan(self, batches: batches.count) }
        var loss = MeanLoss()
        var metrics = self.metrics
        for i in metrics.indices { metrics[i].reset() }
        let iterator = batches.makeIterator()
        while let batch = iterator.next() {
            let value = try step(batch)
            loss.update(loss: value, samples: batch.count)
            if !metrics.isEmpty {
                let predictions = try output(1)
                for i in metrics.indices {
                    try metrics[i].update(predictions: predictions, targets: batch.targets[0].tensor)
                }
            }
            for callback in callbacks {
                try callback.batchEnded(self, loss: value, meanLoss: loss.value, metrics: metrics)
            }
        }
        var log = EpochLog(epoch: progress.epoch)
        log["loss"] = loss.value
        for metric in metrics { log[metric.name] = metric.value }
        if let held {
            try updateNetwork()
            let evaluation = try network.evaluate(
                held, losses: losses, metrics: self.metrics, batchSize: batchSize, threads: threads)
            for (name, value) in zip(evaluation.names, evaluation.values) { log["val_" + name] = value }
        }
        log.seconds = Date().timeIntervalSince(began)
        return log
    }
}
