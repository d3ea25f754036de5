import ApusGraph

/// Truncated normal of standard deviation √(2 / (fan in + fan out)) (Glorot and Bengio 2010).
public struct GlorotNormal: Initializer {
    public init() {}

    public func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        let fans = Fans(shape)
        return try .truncatedNormal(shape, deviation: (2 / fans.sum).squareRoot(), &random)
    }
}
