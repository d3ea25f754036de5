import ApusGraph

/// Ends training with an error when the loss is not finite, and names the operator where that began:
/// "loss is nan at epoch 2, batch 17: first not finite in 'dense_1' (Log) at batch 17".
///
/// A step is a pure function of states and batch, so it keeps the states of some steps ago and, once needed, runs the
/// steps since again. Afterwards the trainer holds the last values that were finite.
public final class NaNStop: Callback {
    private let interval: Int
    private var states: [[UInt8]] = []
    /// The position of the batch that `states` come before, and the rates of the steps since.
    private var first = 0
    private var rates: [Double] = []
    private var nextRate = 0.0

    /// - Parameter interval: steps between copies of the states; more cost less, and repeat more.
    public init(interval: Int = 64) { self.interval = max(1, interval) }

    public func epochBegan(_ trainer: Trainer, batches: Int) { keep(trainer) }

    public func batchEnded(
        _ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]
    ) throws(ApusError) {
        rates.append(nextRate)
        guard loss.isFinite else {
            let cause = try find(trainer)
            let progress = trainer.progress
            throw .argument("loss is \(loss) at epoch \(progress.epoch + 1), batch \(progress.batch): \(cause)")
        }
        nextRate = trainer.learningRate
        if rates.count >= interval { keep(trainer) }
    }

    private func keep(_ trainer: Trainer) {
        states = trainer.copyStates()
        first = trainer.progress.batch
        rates = []
        nextRate = trainer.learningRate
    }

    private func find(_ trainer: Trainer) throws(ApusError) -> String {
        guard let batches = trainer.batches else { return "no batches to run again" }
        trainer.setStates(states)
        for (offset, rate) in rates.enumerated() {
            let batch = try batches.batch(at: first + offset)
            let before = trainer.copyStates()
            let loss = try trainer.run(batch, learningRate: rate)
            guard !loss.isFinite || trainer.finiteStates().contains(false) else { continue }
            trainer.setStates(before)
            let cause = try NonFiniteSearch(trainer, batch, learningRate: rate).cause()
            return offset == rates.count - 1 ? cause : "\(cause) at batch \(first + offset + 1)"
        }
        return "the same steps were finite when run again"
    }
}
