import ApusGraph

/// Uniform in ±√(6 / fan in) (He, Zhang, Ren, Sun 2015).
public struct HeUniform: Initializer {
    public init() {}

    public func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        let fans = Fans(shape)
        return try .uniform(shape, limit: (6 / fans.input).squareRoot(), &random)
    }
}
