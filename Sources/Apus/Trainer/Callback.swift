import ApusGraph

/// What takes part in training beside it. Every method has a default that does nothing.
public protocol Callback: AnyObject {
    /// After it comes `restore`, where training resumes.
    func trainingBegan(_ trainer: Trainer, epochs: Int) throws(ApusError)
    /// Comes again for an epoch that is resumed; `trainer.progress.batch` of its batches are done.
    func epochBegan(_ trainer: Trainer, batches: Int) throws(ApusError)
    /// `metrics` hold the epoch's values so far. The network has its weights of before the epoch; `trainer.updateNetwork` gives it
    /// those of now.
    func batchEnded(_ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]) throws(ApusError)
    /// The network has the weights of the epoch's end.
    func epochEnded(_ trainer: Trainer, _ log: EpochLog) throws(ApusError)
    /// The network has the trained weights.
    func trainingEnded(_ trainer: Trainer) throws(ApusError)

    /// What a checkpoint keeps of it; nil if nothing.
    func checkpointState() throws(ApusError) -> CallbackState?
    /// Takes back what `checkpointState` gave.
    func restore(_ state: CallbackState) throws(ApusError)
}

extension Callback {
    public func trainingBegan(_ trainer: Trainer, epochs: Int) throws(ApusError) {}
    public func epochBegan(_ trainer: Trainer, batches: Int) throws(ApusError) {}
    public func batchEnded(
        _ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]
    ) throws(ApusError) {}
    public func epochEnded(_ trainer: Trainer, _ log: EpochLog) throws(ApusError) {}
    public func trainingEnded(_ trainer: Trainer) throws(ApusError) {}
    public func checkpointState() throws(ApusError) -> CallbackState? { nil }
    public func restore(_ state: CallbackState) throws(ApusError) {}
}

/// A callback's part of a checkpoint: a value, written as JSON, and tensors.
public struct CallbackState: Sendable {
    let json: String
    public let tensors: [Tensor]

    public init(_ value: some Encodable, tensors: [Tensor] = []) throws(ApusError) {
        json = try CheckpointText.encode(value)
        self.tensors = tensors
    }

    init(json: String, tensors: [Tensor]) {
        self.json = json
        self.tensors = tensors
    }

    public func value<Value: Decodable>(as type: Value.Type) throws(ApusError) -> Value {
        try CheckpointText.decode(type, json)
    }
}
