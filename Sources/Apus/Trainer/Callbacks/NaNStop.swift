import ApusGraph

/// Ends training with an error when the loss is not finite, and names the operator where that began:
/// "loss is nan at epoch 2, batch 17: first not finite in 'dense_1' (Log) at batch 17".
///
/// A step is a pure function of states and batch, so it keeps the states of some steps ago and, once needed, runs the
/// steps since again. Afterwards the trainer holds the last values that were finite.
public final class NaNStop: Callback {
    private let interval: Int
    private var states: [[UInt8]] = []
    /// The position of the batch that `states` come before, and the rates of the steps of each batch since.
    private var first = 0
    private var rates: [[Double]] = []
    private var nextRates: [Double] = []

    /// - Parameter interval: steps between copies of the states; more cost less, and repeat more.
    public init(interval: Int = 64) { self.interval = max(1, interval) }

    public func epochBegan(_ trainer: Trainer, batches: Int) { keep(trainer) }

    public func batchEnded(
        _ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]
    ) throws(ApusError) {
        rates.append(nextRates)
        guard loss.isFinite else {
            let cause = try find(trainer)
            let progress = trainer.progress
            throw .argument("loss is \(loss) at epoch \(progress.epoch + 1), batch \(progress.batch): \(cause)")
        }
        nextRates = NaNStop.rates(trainer)
        if rates.count >= interval { keep(trainer) }
    }

    private func keep(_ trainer: Trainer) {
        states = trainer.copyStates()
        first = trainer.progress.batch
        rates = []
        nextRates = NaNStop.rates(trainer)
    }

    /// Of the steps that the next batch is.
    private static func rates(_ trainer: Trainer) -> [Double] {
        trainer.learningRates(trainer.stepsPerBatch)
    }

    private func find(_ trainer: Trainer) throws(ApusError) -> String {
        guard let batches = trainer.batches else { return "no batches to run again" }
        trainer.setStates(states)
        for (offset, rates) in rates.enumerated() {
            let batch = try batches.batch(at: first + offset)
            let parts = try trainer.windows(of: batch)
            for (index, (part, rate)) in zip(parts, rates).enumerated() {
                let before = trainer.copyStates()
                let loss = try trainer.run(part, learningRate: rate)
                let isLast = batch.position == batches.count - 1 && index == parts.count - 1
                _ = try trainer.endStep(learningRate: rate, endsEpoch: isLast)
                guard !loss.isFinite || trainer.finiteStates().contains(false) else { continue }
                let broken = trainer.finiteStates().firstIndex(of: false).map { "'\(trainer.stateName($0))'" } ?? "the loss"
                trainer.setStates(before)
                let cause = try NonFiniteSearch(trainer, part, learningRate: rate).cause()
                    ?? "\(broken) is not finite after the update"
                return offset == self.rates.count - 1 ? cause : "\(cause) at batch \(first + offset + 1)"
            }
        }
        return "the same steps were finite when run again"
    }
}
