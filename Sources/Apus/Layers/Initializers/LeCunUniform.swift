import ApusGraph

/// Uniform in ±√(3 / fan in) (LeCun, Bottou, Orr, Müller 1998).
public struct LeCunUniform: Initializer {
    public init() {}

    public func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        let fans = Fans(shape)
        return try .uniform(shape, limit: (3 / fans.input).squareRoot(), &random)
    }
}
