import ApusGraph

/// Keeps the loss of every batch and the log of every epoch.
public final class History: Callback {
    public private(set) var batchLosses: [Double] = []
    public private(set) var epochs: [EpochLog] = []

    public init() {}

    /// The values of one name over the epochs that measured it.
    public subscript(name: String) -> [Double] { epochs.compactMap { $0[name] } }

    public func trainingBegan(_ trainer: Trainer, epochs: Int) {
        batchLosses = []
        self.epochs = trainer.progress.history
    }

    public func batchEnded(_ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]) {
        batchLosses.append(loss)
    }

    public func epochEnded(_ trainer: Trainer, _ log: EpochLog) { epochs.append(log) }

    public func checkpointState() throws(ApusError) -> CallbackState? { try CallbackState(batchLosses) }

    public func restore(_ state: CallbackState) throws(ApusError) { batchLosses = try state.value(as: [Double].self) }
}
