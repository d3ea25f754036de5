import ApusGraph

/// A number of the epoch's log that a callback watches: "val_loss", "accuracy".
public struct Monitor: Sendable, ExpressibleByStringLiteral {
    public enum Goal: Sendable {
        /// Up for accuracies, precision, recall, F1 and AUROC; down for everything else.
        case automatic
        case smallest, largest
    }

    public let name: String
    public let wantsLargest: Bool

    public init(_ name: String, goal: Goal = .automatic) {
        self.name = name
        let rising = ["accuracy", "top-", "precision", "recall", "f1", "auroc"]
        switch goal {
        case .automatic: wantsLargest = rising.contains { name.contains($0) }
        case .smallest: wantsLargest = false
        case .largest: wantsLargest = true
        }
    }

    public init(stringLiteral name: String) { self.init(name) }

    /// What the epoch measured.
    func value(in log: EpochLog) throws(ApusError) -> Double {
        guard let value = log[name] else {
            throw .argument("epoch without '\(name)' to watch, measured were \(log.names.joined(separator: ", "))")
        }
        return value
    }

    /// Better by more than `delta`. NaN is never better, and any number is better than none.
    func isBetter(_ value: Double, than best: Double?, by delta: Double = 0) -> Bool {
        guard let best else { return !value.isNaN }
        return wantsLargest ? value > best + delta : value < best - delta
    }
}
