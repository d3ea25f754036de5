import ApusGraph

/// Ends training when a number has not become better for `patience` epochs.
public final class EarlyStopping: Callback {
    public let monitor: Monitor
    public let patience: Int
    public let minimumDelta: Double
    /// Whether the network gets the weights of the best epoch at the end.
    public let restoresBestWeights: Bool

    public var best: Double? { state.best }
    /// From 0.
    public var bestEpoch: Int? { state.bestEpoch }
    private var state = Progress()
    private var bestWeights: [Tensor] = []

    private struct Progress: Codable {
        var best: Double?
        var bestEpoch: Int?
        var epochsWithout = 0
    }

    /// - Parameter minimumDelta: a smaller change is none.
    public init(
        monitor: Monitor = "val_loss", patience: Int = 3, minimumDelta: Double = 0, restoresBestWeights: Bool = true
    ) {
        self.monitor = monitor
        self.patience = max(1, patience)
        self.minimumDelta = abs(minimumDelta)
        self.restoresBestWeights = restoresBestWeights
    }

    public func trainingBegan(_ trainer: Trainer, epochs: Int) {
        state = Progress()
        bestWeights = []
    }

    public func epochEnded(_ trainer: Trainer, _ log: EpochLog) throws(ApusError) {
        let value = try monitor.value(in: log)
        if monitor.isBetter(value, than: state.best, by: minimumDelta) {
            state = Progress(best: value, bestEpoch: log.epoch)
            if restoresBestWeights { bestWeights = try trainer.parameterValues() }
            return
        }
        state.epochsWithout += 1
        if state.epochsWithout >= patience {
            trainer.stopReason = "\(monitor.name) has not become better for \(state.epochsWithout) epochs"
        }
    }

    public func trainingEnded(_ trainer: Trainer) {
        if !bestWeights.isEmpty { trainer.setParameters(bestWeights) }
    }

    public func checkpointState() throws(ApusError) -> CallbackState? {
        try CallbackState(state, tensors: bestWeights)
    }

    public func restore(_ state: CallbackState) throws(ApusError) {
        self.state = try state.value(as: Progress.self)
        bestWeights = restoresBestWeights ? state.tensors : []
    }
}
