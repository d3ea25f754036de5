import ApusGraph
import Foundation

/// e to the mean of −log p[label]: among how many equally likely classes the predictions leave the choice.
///
/// Predictions [..., C] are logits, or probabilities that sum to 1; targets are class indices or one-hot.
public struct Perplexity: Metric {
    public var name: String { "perplexity" }
    public let fromLogits: Bool
    private var mean = Mean()

    public init(fromLogits: Bool = true) { self.fromLogits = fromLogits }
    public var value: Double { exp(mean.value) }
    public mutating func reset() { mean = Mean() }

    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        let scores = try ClassScores(predictions: predictions, targets: targets)
        var sum = 0.0
        for sample in 0..<scores.samples {
            let row = scores.row(sample), own = row[row.startIndex + scores.actual[sample]]
            guard fromLogits else {
                sum -= log(own)
                continue
            }
            let most = row.max() ?? 0
            sum += most + log(row.reduce(0) { $0 + exp($1 - most) }) - own
        }
        mean.add(sum, count: scores.samples)
    }
}
