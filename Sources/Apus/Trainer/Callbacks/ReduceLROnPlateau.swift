import ApusGraph

/// Multiplies the learning rate by `factor` when a number has not become better for `patience` epochs.
public final class ReduceLROnPlateau: Callback {
    public let monitor: Monitor
    public let factor: Double
    public let patience: Int
    public let minimumDelta: Double
    /// Epochs after a reduction that are not counted.
    public let cooldown: Int
    /// The rate is never set lower.
    public let minimumRate: Double
    private var state = Progress()

    private struct Progress: Codable {
        var best: Double?
        var epochsWithout = 0
        var coolingEpochs = 0
    }

    public init(
        monitor: Monitor = "val_loss", factor: Double = 0.1, patience: Int = 10, minimumDelta: Double = 1e-4,
        cooldown: Int = 0, minimumRate: Double = 0
    ) {
        self.monitor = monitor
        self.factor = min(max(factor, 0), 1)
        self.patience = max(1, patience)
        self.minimumDelta = abs(minimumDelta)
        self.cooldown = max(0, cooldown)
        self.minimumRate = max(0, minimumRate)
    }

    public func trainingBegan(_ trainer: Trainer, epochs: Int) { state = Progress() }

    public func epochEnded(_ trainer: Trainer, _ log: EpochLog) throws(ApusError) {
        let value = try monitor.value(in: log)
        if state.coolingEpochs > 0 {
            state.coolingEpochs -= 1
            state.epochsWithout = 0
        }
        if monitor.isBetter(value, than: state.best, by: minimumDelta) {
            state.best = value
            state.epochsWithout = 0
        } else if state.coolingEpochs == 0 {
            state.epochsWithout += 1
            if state.epochsWithout >= patience { reduce(trainer) }
        }
    }

    private func reduce(_ trainer: Trainer) {
        let rate = trainer.learningRate
        guard rate > minimumRate else { return }
        trainer.learningRateScale *= max(factor, minimumRate / rate)
        state.coolingEpochs = cooldown
        state.epochsWithout = 0
    }

    public func checkpointState() throws(ApusError) -> CallbackState? { try CallbackState(state) }

    public func restore(_ state: CallbackState) throws(ApusError) { self.state = try state.value(as: Progress.self) }
}
