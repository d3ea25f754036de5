import ApusGraph

/// Truncated normal of standard deviation √(2 / fan in) (He, Zhang, Ren, Sun 2015).
public struct HeNormal: Initializer {
    public init() {}

    public func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        let fans = Fans(shape)
        return try .truncatedNormal(shape, deviation: (2 / fans.input).squareRoot(), &random)
    }
}
