import ApusGraph

/// Normal, drawn again beyond two standard deviations; `deviation` is the one before that cut.
public struct TruncatedNormal: Initializer {
    public let mean: Double
    public let deviation: Double

    public init(mean: Double = 0, deviation: Double = 0.05) {
        self.mean = mean
        self.deviation = deviation
    }

    public func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        try .drawn(shape) { mean + deviation * random.truncatedNormal() }
    }
}
