import ApusGraph

/// Uniform in a range.
public struct RandomUniform: Initializer {
    public let minimum: Double
    public let maximum: Double

    public init(_ minimum: Double = -0.05, _ maximum: Double = 0.05) {
        self.minimum = minimum
        self.maximum = maximum
    }

    public func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        try .drawn(shape) { minimum + (maximum - minimum) * Double(random.uniform()) }
    }
}
