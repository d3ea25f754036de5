import ApusGraph

/// How often samples of each class were predicted as each class. Predictions [..., C]; targets are class indices or
/// one-hot. A sample whose scores are all NaN counts in no cell.
public struct ConfusionMatrix: Metric, CustomStringConvertible {
    public var name: String { "confusion" }
    /// counts[actual][predicted].
    public private(set) var counts: [[Int]] = []
    private var samples = 0

    public init() {}

    /// The accuracy: the diagonal's share of the samples.
    public var value: Double {
        samples == 0 ? .nan : Double(counts.indices.reduce(0) { $0 + counts[$1][$1] }) / Double(samples)
    }

    public mutating func reset() { self = ConfusionMatrix() }

    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        let scores = try ClassScores(predictions: predictions, targets: targets)
        if counts.isEmpty {
            counts = Array(repeating: Array(repeating: 0, count: scores.classes), count: scores.classes)
        }
        guard counts.count == scores.classes else {
            throw .shape("found scores of \(scores.classes) classes after those of \(counts.count)")
        }
        for sample in 0..<scores.samples {
            samples += 1
            if let predicted = scores.predicted(sample) { counts[scores.actual[sample]][predicted] += 1 }
        }
    }

    /// One line a true class, one column a predicted class.
    public var description: String {
        let width = (counts.joined().max().map { "\($0)".count } ?? 0) + 1
        return counts.map { row in
            row.map { count in
                let digits = "\(count)"
                return String(repeating: " ", count: width - digits.count) + digits
            }.joined()
        }.joined(separator: "\n")
    }
}
