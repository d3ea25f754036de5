/// Where training stands.
public struct TrainingProgress: Sendable, Codable, Equatable {
    /// Epochs completed.
    public var epoch = 0
    /// Batches completed of the current epoch.
    public var batch = 0
    /// Updates of the weights in all: one a batch, in training by windows one a window, unless gradients accumulate.
    public var step = 0
    /// What each completed epoch measured.
    public var history: [EpochLog] = []

    public init() {}
}

/// What an epoch measured, in the order it was logged: "loss", the metrics, then the same with "val_" in front.
public struct EpochLog: Sendable, Codable, Equatable {
    public var epoch: Int
    public var names: [String] = []
    public var values: [Double] = []
    public var seconds = 0.0

    public init(epoch: Int) { self.epoch = epoch }

    /// Adds a metric's value under its name or, where that is taken, "name_1", "name_2", …, as Keras does.
    mutating func add(_ metric: any Metric, outputs: [String]) {
        let first = metric.name(outputs: outputs)
        var name = first, taken = 0
        while names.contains(name) {
            taken += 1
            name = "\(first)_\(taken)"
        }
        self[name] = metric.value
    }

    public subscript(name: String) -> Double? {
        get { names.firstIndex(of: name).map { values[$0] } }
        set {
            guard let newValue else { return }
            if let index = names.firstIndex(of: name) {
                values[index] = newValue
            } else {
                names.append(name)
                values.append(newValue)
            }
        }
    }
}

/// What the current epoch has gathered so far.
struct RunningEpoch {
    /// Of the dataset.
    var sampleCount: Int
    var samplesSeen = 0
    var loss = MeanLoss()
    /// Per output, when there are several.
    var outputLosses: [MeanLoss]
    var metrics: [any Metric]
    var seconds = 0.0

    init(sampleCount: Int, outputs: Int, metrics: [any Metric]) {
        self.sampleCount = sampleCount
        outputLosses = outputs > 1 ? [MeanLoss](repeating: MeanLoss(), count: outputs) : []
        self.metrics = metrics
        for i in metrics.indices { self.metrics[i].reset() }
    }
}
