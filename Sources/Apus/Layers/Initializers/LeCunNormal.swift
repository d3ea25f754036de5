import ApusGraph

/// Truncated normal of standard deviation √(1 / fan in) (LeCun, Bottou, Orr, Müller 1998).
public struct LeCunNormal: Initializer {
    public init() {}

    public func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        let fans = Fans(shape)
        return try .truncatedNormal(shape, deviation: (1 / fans.input).squareRoot(), &random)
    }
}
