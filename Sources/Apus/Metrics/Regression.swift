import ApusGraph

/// Σ |prediction − target| / elements.
public struct MeanAbsoluteError: Metric {
    public var name: String { "mae" }
    private var mean = Mean()

    public init() {}
    public var value: Double { mean.value }
    public mutating func reset() { mean = Mean() }
    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        try mean.add(predictions, targets) { $0.magnitude }
    }
}

/// Σ (prediction − target)² / elements.
public struct MeanSquaredError: Metric {
    public var name: String { "mse" }
    private var mean = Mean()

    public init() {}
    public var value: Double { mean.value }
    public mutating func reset() { mean = Mean() }
    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        try mean.add(predictions, targets) { $0 * $0 }
    }
}

/// √(Σ (prediction − target)² / elements).
public struct RootMeanSquaredError: Metric {
    public var name: String { "rmse" }
    private var mean = Mean()

    public init() {}
    public var value: Double { mean.value.squareRoot() }
    public mutating func reset() { mean = Mean() }
    public mutating func update(predictions: Tensor, targets: Tensor) throws(ApusError) {
        try mean.add(predictions, targets) { $0 * $0 }
    }
}

extension Mean {
    /// Adds a measure of each difference. The shapes agree, but for trailing dimensions of 1.
    fileprivate mutating func add(
        _ predictions: Tensor, _ targets: Tensor, _ measure: (Double) -> Double
    ) throws(ApusError) {
        guard predictions.essentialShape == targets.essentialShape else {
            throw .shape("predictions are \(predictions) and targets \(targets), wanted the same shape")
        }
        let sum = zip(try predictions.doubles(), try targets.doubles()).reduce(0) { $0 + measure($1.0 - $1.1) }
        add(sum, count: predictions.count)
    }
}
