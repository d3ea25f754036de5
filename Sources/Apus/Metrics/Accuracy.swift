import ApusGraph

/// The share of samples whose largest score, the first of equals, is that of the true class.
///
/// Predictions [..., C] are probabilities or logits; targets are class indices or one-hot.
public struct Accuracy: Metric {
    public var name: String { "accuracy" }
    private var mean = Mean()

    public init() {}
    public var value: Double { mean.value }
    public mutating func reset() { mean = Mean() }

    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        let scores = try ClassScores(predictions: predictions, targets: targets)
        let right = (0..<scores.samples).count { scores.predicted($0) == scores.actual[$0] }
        mean.add(Double(right), count: scores.samples)
    }
}

/// The share of scores that lie on the right side of a threshold: above it for the target 1.
///
/// Predictions [N] or [N, 1] or, with several labels a sample, [N, labels], and targets 0 or 1 of that shape; for logits the
/// threshold is 0.
public struct BinaryAccuracy: Metric {
    public var name: String { "accuracy" }
    public let threshold: Double
    private var mean = Mean()

    public init(threshold: Double = 0.5) { self.threshold = threshold }
    public var value: Double { mean.value }
    public mutating func reset() { mean = Mean() }

    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        let binary = try BinaryScores(predictions: predictions, targets: targets)
        let right = zip(binary.scores, binary.isPositive).count { score, isPositive in
            isPositive ? score > threshold : score <= threshold
        }
        mean.add(Double(right), count: binary.scores.count)
    }
}

/// The share of samples whose true class is among the k largest scores; of equal scores the lower index counts as
/// larger. A NaN score is the smallest.
public struct TopKAccuracy: Metric {
    public let k: Int
    public var name: String { "top-\(k)" }
    private var mean = Mean()

    public init(k: Int = 5) { self.k = k }
    public var value: Double { mean.value }
    public mutating func reset() { mean = Mean() }

    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        let scores = try ClassScores(predictions: predictions, targets: targets)
        let right = (0..<scores.samples).count { sample in
            let row = scores.row(sample)
            let target = row.startIndex + scores.actual[sample]
            guard !row[target].isNaN else { return false }
            let ahead = row.indices.count { row[$0] > row[target] || row[$0] == row[target] && $0 < target }
            return ahead < k
        }
        mean.add(Double(right), count: scores.samples)
    }
}
