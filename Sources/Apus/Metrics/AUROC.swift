import ApusGraph

/// The area under the receiver operating characteristic, exact: the chance that a random positive sample scores above a
/// random negative one, ties counting half (Mann and Whitney's U). All scores are kept.
///
/// Predictions [N] or [N, 1] with targets 0 or 1, or [N, C] with class indices or targets [N, C] of 0 and 1, one or several
/// of them 1: then the mean over the classes, each against the rest. NaN where positives or negatives are wanting, or a score is NaN.
public struct AUROC: Metric {
    public var name: String { "auroc" }
    private var scores: [[Double]] = []
    private var isPositive: [[Bool]] = []

    public init() {}

    public mutating func reset() {
        scores = []
        isPositive = []
    }

    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        if predictions.shape.count < 2 || predictions.shape.last == 1 {
            let binary = try BinaryScores(predictions: predictions, targets: targets)
            try reserve(1)
            scores[0] += binary.scores
            isPositive[0] += binary.isPositive
        } else if targets.shape == predictions.shape, try targets.doubles().allSatisfy({ $0 == 0 || $0 == 1 }) {
            let binary = try BinaryScores(predictions: predictions, targets: targets)
            try reserve(predictions.shape.last!)
            for (place, score) in binary.scores.enumerated() {
                scores[place % scores.count].append(score)
                isPositive[place % scores.count].append(binary.isPositive[place])
            }
        } else {
            let rows = try ClassScores(predictions: predictions, targets: targets)
            try reserve(rows.classes)
            for sample in 0..<rows.samples {
                for (index, score) in rows.row(sample).enumerated() {
                    scores[index].append(score)
                    isPositive[index].append(rows.actual[sample] == index)
                }
            }
        }
    }

    private mutating func reserve(_ classes: Int) throws(ApusError) {
        if scores.isEmpty {
            scores = Array(repeating: [], count: classes)
            isPositive = Array(repeating: [], count: classes)
        }
        guard scores.count == classes else {
            throw .shape("found scores of \(classes) classes after those of \(scores.count)")
        }
    }

    public var value: Double {
        zip(scores, isPositive).reduce(0) { $0 + Self.area($1.0, $1.1) } / Double(scores.count)
    }

    /// (Σ ranks of the positives − P (P + 1) / 2) / (P · N), equal scores sharing their mean rank.
    static func area(_ scores: [Double], _ isPositive: [Bool]) -> Double {
        if scores.contains(where: \.isNaN) { return .nan }
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        var rankSum = 0.0
        var start = 0
        while start < order.count {
            var end = start
            var positives = 0
            while end < order.count, scores[order[end]] == scores[order[start]] {
                positives += isPositive[order[end]] ? 1 : 0
                end += 1
            }
            rankSum += Double(positives) * Double(start + 1 + end) / 2
            start = end
        }
        let positives = Double(isPositive.count { $0 })
        let negatives = Double(isPositive.count) - positives
        return (rankSum - positives * (positives + 1) / 2) / (positives * negatives)
    }
}
