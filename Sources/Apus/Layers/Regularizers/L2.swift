import ApusGraph

/// factor · Σ w²
public struct L2: Regularizer {
    public let factor: Double
    public init(_ factor: Double = 0.01) { self.factor = factor }

    public func loss(_ weight: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        let sum = try builder(ReduceSum(axes: []), try builder(Square(), weight))
        return try builder(ApusGraph.Mul(), sum, try builder.scalar(factor, weight.type.dtype))
    }
}
