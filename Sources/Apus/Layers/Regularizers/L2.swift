import ApusGraph

/// factor · Σ w²
public struct L2: Regularizer {
    public let factor: Double
    public init(_ factor: Double = 0.01) { self.factor = factor }

    public func loss(_ weight: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        guard factor.isFinite else { throw .argument("a penalty of factor \(factor), wanted a finite one") }
        let sum = try builder(Reduction(.sum, axes: []), try builder(.square, weight))
        return try builder(.mul, sum, try builder.scalar(factor, weight.type.dtype))
    }
}
