import ApusGraph

/// Sets the learning rate of each epoch from its number, 0 the first; the optimizer's schedule is not asked.
public final class LearningRateScheduler: Callback {
    private let rate: (Int) -> Double

    public init(_ rate: @escaping (Int) -> Double) { self.rate = rate }

    public func epochBegan(_ trainer: Trainer, batches: Int) throws(ApusError) {
        let value = rate(trainer.progress.epoch)
        guard value.isFinite, value >= 0 else {
            throw .argument("learning rate \(value) for epoch \(trainer.progress.epoch + 1), wanted 0 or more")
        }
        trainer.learningRateOverride = value
    }
}
