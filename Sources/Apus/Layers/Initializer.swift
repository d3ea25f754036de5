import ApusGraph

/// How a weight starts.
public protocol Initializer: Sendable {
    /// Values for a weight of this shape. The fan-in and fan-out of a kernel [..., in, out] are the products of its
    /// leading extents with in and with out.
    func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor
}

/// Uniform in ±√(6 / (fan in + fan out)) (Glorot and Bengio 2010).
public struct GlorotUniform: Initializer {
    public init() {}

    public func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        let fans = Fans(shape)
        let limit = (6 / Double(max(1, fans.input + fans.output))).squareRoot()
        return try Tensor((0..<fans.count).map { _ in Float((2 * Double(random.uniform()) - 1) * limit) }, shape: shape)
    }
}

/// Every element the same.
public struct Constant: Initializer {
    public let value: Float
    public init(_ value: Float) { self.value = value }

    public func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        try Tensor([Float](repeating: value, count: shape.reduce(1, *)), shape: shape)
    }
}

/// Fan-in, fan-out and element count of a weight.
struct Fans {
    let input: Int
    let output: Int
    let count: Int

    init(_ shape: [Int]) {
        count = shape.reduce(1, *)
        let receptive = shape.dropLast(2).reduce(1, *)
        input = shape.count < 2 ? count : receptive * shape[shape.count - 2]
        output = shape.count < 2 ? count : receptive * shape[shape.count - 1]
    }
}

/// A penalty on a weight, added to the loss.
public protocol Regularizer: Sendable {
    func loss(_ weight: Value, _ builder: GraphBuilder) throws(ApusError) -> Value
}
