import ApusGraph

extension Metric {
    /// The same metric of classes without the samples whose target is `index`, such as padding, which may lie outside
    /// 0 ..< classes: `Accuracy().ignoring(index: -100)`.
    public func ignoring(index: Int) -> IgnoringMetric<Self> { IgnoringMetric(index, self) }
}

/// A metric of class scores that leaves out what has one target, as `SparseCategoricalCrossEntropy.ignoreIndex` does.
///
/// Predictions [..., C], targets [...] of indices.
public struct IgnoringMetric<Base: Metric>: Metric {
    public let index: Int
    public private(set) var base: Base

    public init(_ index: Int, _ base: Base) {
        self.index = index
        self.base = base
    }

    public var name: String { base.name }
    public func name(outputs: [String]) -> String { base.name(outputs: outputs) }
    public var output: Int { base.output }
    public var value: Double { base.value }
    public mutating func reset() { base.reset() }

    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        guard let classes = predictions.shape.last, classes > 0, targets.count == predictions.count / classes else {
            throw .shape("targets are \(targets), wanted a class for each row of \(predictions)")
        }
        let counted = try targets.doubles().enumerated().filter { $0.element != Double(index) }.map(\.offset)
        guard !counted.isEmpty else { return }
        try base.update(
            predictions: try predictions.reshaped([targets.count, classes]).rows(counted),
            targets: try targets.reshaped([targets.count]).rows(counted))
    }
}
