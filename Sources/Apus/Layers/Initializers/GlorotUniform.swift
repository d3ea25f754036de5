import ApusGraph

/// Uniform in ±√(6 / (fan in + fan out)) (Glorot and Bengio 2010).
public struct GlorotUniform: Initializer {
    public init() {}

    public func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        let fans = Fans(shape)
        return try .uniform(shape, limit: (6 / fans.sum).squareRoot(), &random)
    }
}
