import ApusGraph

/// A number about predictions and their targets, gathered batch by batch over samples, so that batches of any sizes
/// give the value of all samples at once. Before the first update the value is NaN.
///
/// What it has gathered is `Codable`, so that a checkpoint within an epoch goes on where it was.
public protocol Metric: Sendable, Codable {
    /// A short name for logs, such as "accuracy"; where it is taken there, the log has "accuracy_1", "accuracy_2", ….
    var name: String { get }
    /// The name in the log of a network whose outputs are called so; `name` by default.
    func name(outputs: [String]) -> String
    /// The output of the network that it measures; 0 by default.
    var output: Int { get }
    var value: Double { get }
    /// Adds the samples of a batch.
    mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError)
    mutating func reset()
}

extension Metric {
    public var output: Int { 0 }
    public func name(outputs: [String]) -> String { name }

    /// The same metric of another output: `Accuracy().on(output: 1)`, which logs call by the output's name, as "scores_accuracy".
    public func on(output: Int) -> OutputMetric<Self> { OutputMetric(output, self) }
}

/// A metric of one output of a network that has several.
public struct OutputMetric<Base: Metric>: Metric {
    public let output: Int
    public private(set) var base: Base

    public init(_ output: Int, _ base: Base) {
        self.output = output
        self.base = base
    }

    public var name: String { "output_\(output)_\(base.name)" }
    public func name(outputs: [String]) -> String {
        outputs.indices.contains(output) ? "\(outputs[output])_\(base.name)" : name
    }
    public var value: Double { base.value }
    public mutating func reset() { base.reset() }
    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        try base.update(predictions: predictions, targets: targets)
    }
}

/// The mean of a loss that is itself a mean over each batch: Σ loss · samples / Σ samples.
public struct MeanLoss: Sendable, Codable {
    public var name: String { "loss" }
    private var mean = Mean()

    public init() {}
    public var value: Double { mean.value }
    public mutating func update(loss: Double, samples: Int) { mean.add(loss * Double(samples), count: samples) }
    public mutating func reset() { mean = Mean() }
}

struct Mean: Sendable, Codable {
    private(set) var sum = 0.0
    private(set) var count = 0

    var value: Double { count == 0 ? .nan : sum / Double(count) }

    mutating func add(_ sum: Double, count: Int) {
        self.sum += sum
        self.count += count
    }
}
