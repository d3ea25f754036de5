import ApusGraph

/// How precision, recall and F1 become one number.
public enum Averaging: Sendable, Equatable, Codable {
    /// Of the positive class; predictions [N] or [N, 1] are positive above the threshold. With several labels a sample,
    /// predictions and targets [N, labels], of all labels together.
    case binary(threshold: Double = 0.5)
    /// The plain mean over the classes that were seen as target or prediction; predictions [..., C].
    case macro
    /// Of the sums over all classes; predictions [..., C].
    case micro
}

/// TP / (TP + FP), or 0 where nothing was predicted.
public struct Precision: Metric {
    public var name: String { "precision" }
    private var counts: ClassCounts

    public init(_ averaging: Averaging = .macro) { counts = ClassCounts(averaging) }
    public var value: Double { counts.average { ratio($0.right, $0.predicted) } }
    public mutating func reset() { counts = ClassCounts(counts.averaging) }
    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        try counts.update(predictions: predictions, targets: targets)
    }
}

/// TP / (TP + FN), or 0 where there was nothing to find.
public struct Recall: Metric {
    public var name: String { "recall" }
    private var counts: ClassCounts

    public init(_ averaging: Averaging = .macro) { counts = ClassCounts(averaging) }
    public var value: Double { counts.average { ratio($0.right, $0.actual) } }
    public mutating func reset() { counts = ClassCounts(counts.averaging) }
    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        try counts.update(predictions: predictions, targets: targets)
    }
}

/// 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall, or 0 where that is 0/0.
public struct F1: Metric {
    public var name: String { "f1" }
    private var counts: ClassCounts

    public init(_ averaging: Averaging = .macro) { counts = ClassCounts(averaging) }
    public var value: Double { counts.average { ratio(2 * $0.right, $0.predicted + $0.actual) } }
    public mutating func reset() { counts = ClassCounts(counts.averaging) }
    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        try counts.update(predictions: predictions, targets: targets)
    }
}

private func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }

/// Of each class: how often it was predicted, was the target, and was both.
struct ClassCounts: Sendable, Codable {
    struct Count: Codable {
        var right = 0
        var predicted = 0
        var actual = 0
    }

    let averaging: Averaging
    private var counts: [Count] = []
    private var samples = 0

    init(_ averaging: Averaging) { self.averaging = averaging }

    mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        if case .binary(let threshold) = averaging {
            let binary = try BinaryScores(predictions: predictions, targets: targets)
            for (score, isPositive) in zip(binary.scores, binary.isPositive) {
                add(predicted: score > threshold ? 0 : nil, actual: isPositive ? 0 : nil, classes: 1)
            }
        } else {
            let scores = try ClassScores(predictions: predictions, targets: targets)
            for sample in 0..<scores.samples {
                add(predicted: scores.predicted(sample), actual: scores.actual[sample], classes: scores.classes)
            }
        }
    }

    private mutating func add(predicted: Int?, actual: Int?, classes: Int) {
        while counts.count < classes { counts.append(Count()) }
        samples += 1
        if let predicted { counts[predicted].predicted += 1 }
        if let actual { counts[actual].actual += 1 }
        if let actual, actual == predicted { counts[actual].right += 1 }
    }

    func average(_ measure: (Count) -> Double) -> Double {
        guard samples > 0 else { return .nan }
        if averaging == .macro {
            let seen = counts.filter { $0.predicted + $0.actual > 0 }
            return seen.reduce(0) { $0 + measure($1) } / Double(seen.count)
        }
        return measure(counts.reduce(into: Count()) { total, count in
            total.right += count.right
            total.predicted += count.predicted
            total.actual += count.actual
        })
    }
}
