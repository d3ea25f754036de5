import ApusGraph

/// What takes part in training beside it. Every method has a default that does nothing.
public protocol Callback: AnyObject {
    func trainingBegan(_ trainer: Trainer, epochs: Int) throws(ApusError)
    func epochBegan(_ trainer: Trainer, batches: Int) throws(ApusError)
    /// `metrics` hold the epoch's values so far.
    func batchEnded(_ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]) throws(ApusError)
    func epochEnded(_ trainer: Trainer, _ log: EpochLog) throws(ApusError)
    /// The network has the trained weights.
    func trainingEnded(_ trainer: Trainer) throws(ApusError)
}

extension Callback {
    public func trainingBegan(_ trainer: Trainer, epochs: Int) throws(ApusError) {}
    public func epochBegan(_ trainer: Trainer, batches: Int) throws(ApusError) {}
    public func batchEnded(
        _ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]
    ) throws(ApusError) {}
    public func epochEnded(_ trainer: Trainer, _ log: EpochLog) throws(ApusError) {}
    public func trainingEnded(_ trainer: Trainer) throws(ApusError) {}
}
