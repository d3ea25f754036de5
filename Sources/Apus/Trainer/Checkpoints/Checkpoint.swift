import ApusGraph
import ApusRuntime

/// What a checkpoint holds beside the training graph and the values of its states: JSON under a metadata key.
struct Checkpoint: Codable {
    static let metadataKey = "apus.checkpoint"
    static let currentVersion = 1

    var version = currentVersion
    var progress: TrainingProgress
    var learningRateScale: Double
    var learningRateOverride: Double?
    var stopReason: String?
    var seed: UInt64
    var batchSize: Int
    /// Files that older versions wrote do not say it.
    var precision: ComputePrecision?
    /// nil for 1.
    var gradientAccumulation: Int?
    /// The decay; nil where weights are not averaged.
    var weightAverage: Double?
    /// With every setting.
    var optimizer: String
    var losses: [String]
    var lossWeights: [Double]
    var running: Running?
    var callbacks: [CallbackEntry]

    /// The sums of the epoch that is under way.
    struct Running: Codable {
        var sampleCount: Int
        var samplesSeen: Int
        var loss: MeanLoss
        var outputLosses: [MeanLoss]
        var metricNames: [String]
        /// Each as JSON.
        var metrics: [String]
        var seconds: Double
    }

    /// A callback's state; its tensors are the graph's constants of these names.
    struct CallbackEntry: Codable {
        var name: String
        var json: String
        var tensors: [String]
    }
}

extension Checkpoint.Running {
    init(_ running: RunningEpoch) throws(ApusError) {
        var texts: [String] = []
        for metric in running.metrics { texts.append(try CheckpointText.encode(metric)) }
        self.init(
            sampleCount: running.sampleCount, samplesSeen: running.samplesSeen, loss: running.loss,
            outputLosses: running.outputLosses, metricNames: running.metrics.map { $0.name }, metrics: texts,
            seconds: running.seconds)
    }

    /// The sums again, for a trainer of these metrics.
    func restored(_ metrics: [any Metric]) throws(ApusError) -> RunningEpoch {
        let names = metrics.map { $0.name }
        guard metricNames == names, self.metrics.count == names.count else {
            throw .argument(
                "within an epoch measured by [\(metricNames.joined(separator: ", "))], wanted "
                    + "[\(names.joined(separator: ", "))]")
        }
        var running = RunningEpoch(sampleCount: sampleCount, outputs: 1, metrics: metrics)
        running.samplesSeen = samplesSeen
        running.loss = loss
        running.outputLosses = outputLosses
        running.seconds = seconds
        for i in metrics.indices { running.metrics[i] = try CheckpointText.decode(like: metrics[i], self.metrics[i]) }
        return running
    }
}

/// The state of a callback, under a name that finds it again: its type, and how many of the type come before it.
struct CheckpointedCallback {
    let name: String
    let state: CallbackState

    static func states(of callbacks: [any Callback]) throws(ApusError) -> [CheckpointedCallback] {
        var result: [CheckpointedCallback] = []
        for (callback, name) in zip(callbacks, names(callbacks)) {
            if let state = try callback.checkpointState() {
                result.append(CheckpointedCallback(name: name, state: state))
            }
        }
        return result
    }

    /// A callback that the checkpoint does not know begins anew.
    static func restore(_ states: [CheckpointedCallback], to callbacks: [any Callback]) throws(ApusError) {
        for (callback, name) in zip(callbacks, names(callbacks)) {
            guard let found = states.first(where: { $0.name == name }) else { continue }
            do throws(ApusError) {
                try callback.restore(found.state)
            } catch {
                throw error.within("callback '\(name)'")
            }
        }
    }

    private static func names(_ callbacks: [any Callback]) -> [String] {
        var counts: [String: Int] = [:]
        return callbacks.map { callback in
            let kind = String(describing: type(of: callback))
            let count = counts[kind, default: 0]
            counts[kind] = count + 1
            return count == 0 ? kind : "\(kind)_\(count)"
        }
    }
}
