import ApusGraph

/// A batch's loss before its mean: Σ values / count. A sample's loss is the mean over its terms.
public struct LossTerms {
    /// Floats [batch, …].
    public let values: Value
    /// How many of the values are terms, a scalar of their type; the others are 0. nil: all are.
    public let count: Value?
    /// Whether the loss is the negative of all this.
    let isNegated: Bool

    public init(_ values: Value, count: Value? = nil) { self.init(values, count: count, isNegated: false) }

    init(_ values: Value, count: Value? = nil, isNegated: Bool) {
        self.values = values
        self.count = count
        self.isNegated = isNegated
    }

    /// Σ values / count, a scalar; 0 where none counts.
    func mean(_ builder: GraphBuilder) throws(ApusError) -> Value {
        var mean: Value
        if let count {
            let sum = try builder(Reduction(.sum, axes: []), values)
            mean = try builder(.div, sum, try builder(.maximum, count, try builder.scalar(1, count.type.dtype)))
        } else {
            mean = try builder(Reduction(.mean, axes: []), values)
        }
        return isNegated ? try builder(.neg, mean) : mean
    }

    /// The same with each sample's values times its weight, of [batch]; as many count as before.
    func weighted(by weights: Value, _ builder: GraphBuilder) throws(ApusError) -> LossTerms {
        guard values.shape.rank >= 1, values.shape[0] == weights.shape[0], values.type.dtype.isFloat else {
            throw .shape("terms \(values.type), wanted floats [batch, …] to weight samples by")
        }
        var factors = weights
        if factors.type.dtype != values.type.dtype { factors = try builder(Cast(values.type.dtype), factors) }
        if values.shape.rank > 1 {
            let ones = [Int](repeating: 1, count: values.shape.rank - 1)
            factors = try builder(ApusGraph.Reshape([0] + ones), factors)
        }
        return LossTerms(try builder(.mul, values, factors), count: count, isNegated: isNegated)
    }
}
