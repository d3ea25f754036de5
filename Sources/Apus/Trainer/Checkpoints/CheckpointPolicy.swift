import ApusGraph
import Foundation

/// When `fit` writes a checkpoint. Whatever the occasions, each one is complete, and training resumes from it bit for
/// bit.
public struct CheckpointPolicy: Sendable {
    public let path: String
    public let everyBatches: Int?
    public let everySeconds: Double?
    public let everyEpoch: Bool

    /// - Parameters:
    ///   - everyBatches: after each run of `train_step`, counted over all epochs, whose number this divides.
    ///   - everySeconds: after the first step this long after the last checkpoint.
    ///   - everyEpoch: after each epoch; without it still after the last.
    public init(_ path: String, everyBatches: Int? = nil, everySeconds: Double? = nil, everyEpoch: Bool = true) {
        self.path = path
        self.everyBatches = everyBatches.map { max(1, $0) }
        self.everySeconds = everySeconds
        self.everyEpoch = everyEpoch
    }
}

/// Follows a policy through a `fit`.
struct CheckpointSaver {
    private let policy: CheckpointPolicy
    private var last = Date()

    init(_ policy: CheckpointPolicy) { self.policy = policy }

    mutating func batchEnded(_ trainer: Trainer) throws(ApusError) {
        let isDue = policy.everyBatches.map { trainer.stepsRun % $0 == 0 } ?? false
        let isLate = policy.everySeconds.map { Date().timeIntervalSince(last) >= $0 } ?? false
        if isDue || isLate { try save(trainer) }
    }

    mutating func epochEnded(_ trainer: Trainer, isLast: Bool) throws(ApusError) {
        if policy.everyEpoch || isLast { try save(trainer) }
    }

    private mutating func save(_ trainer: Trainer) throws(ApusError) {
        try trainer.saveCheckpoint(policy.path)
        last = Date()
    }
}
