import ApusGraph

/// A number about predictions and their targets, gathered batch by batch over samples, so that batches of any sizes
/// give the value of all samples at once. Before the first update the value is NaN.
public protocol Metric: Sendable {
    /// A short name for logs, such as "accuracy".
    var name: String { get }
    var value: Double { get }
    /// Adds the samples of a batch.
    mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError)
    mutating func reset()
}

/// The mean of a loss that is itself a mean over each batch: Σ loss · samples / Σ samples.
public struct MeanLoss: Sendable {
    public let name = "loss"
    private var mean = Mean()

    public init() {}
    public var value: Double { mean.value }
    public mutating func update(loss: Double, samples: Int) { mean.add(loss * Double(samples), count: samples) }
    public mutating func reset() { mean = Mean() }
}

struct Mean: Sendable {
    private(set) var sum = 0.0
    private(set) var count = 0

    var value: Double { count == 0 ? .nan : sum / Double(count) }

    mutating func add(_ sum: Double, count: Int) {
        self.sum += sum
        self.count += count
    }
}
