import ApusGraph

/// Writes the network as an .apus model after every epoch, or after those that are the best so far.
///
/// To resume training, see `CheckpointPolicy`: this file is for running.
public final class ModelCheckpoint: Callback {
    public let path: String
    public let monitor: Monitor?
    private var best: Double?

    /// - Parameters:
    ///   - path: "{epoch}" in it becomes the number of the epoch, from 1.
    ///   - monitor: what the best is the best of; nil: every epoch is written.
    public init(_ path: String, monitor: Monitor? = nil) {
        self.path = path
        self.monitor = monitor
    }

    public func trainingBegan(_ trainer: Trainer, epochs: Int) { best = nil }

    public func epochEnded(_ trainer: Trainer, _ log: EpochLog) throws(ApusError) {
        if let monitor {
            let value = try monitor.value(in: log)
            guard monitor.isBetter(value, than: best) else { return }
            best = value
        }
        try trainer.updateNetwork()
        try trainer.network.export(to: path.replacing("{epoch}", with: "\(log.epoch + 1)"))
    }

    public func checkpointState() throws(ApusError) -> CallbackState? { try CallbackState([best]) }

    public func restore(_ state: CallbackState) throws(ApusError) {
        best = try state.value(as: [Double?].self).first ?? nil
    }
}
