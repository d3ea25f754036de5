import ApusGraph

/// How a weight starts.
public protocol Initializer: Sendable {
    /// Values for a weight of this shape. The fan-in and fan-out of a kernel [..., in, out] are the products of its
    /// leading extents with in and with out.
    func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor
}

/// Fan-in and fan-out of a weight, at least 1.
struct Fans {
    let input: Double
    let output: Double
    var sum: Double { input + output }

    init(_ shape: [Int]) {
        let receptive = shape.dropLast(2).reduce(1) { $0 * Double($1) }
        let sides = shape.suffix(2).map { Double($0) }
        input = max(1, receptive * (sides.first ?? 1))
        output = max(1, receptive * (sides.last ?? 1))
    }
}

extension Tensor {
    /// Elements drawn one after another.
    static func drawn(_ shape: [Int], _ draw: () -> Double) throws(ApusError) -> Tensor {
        try Tensor(dtype: .f32, shape: shape) { bytes throws(ApusError) in
            let values = bytes.bindMemory(to: Float.self)
            for i in values.indices { values[i] = Float(draw()) }
        }
    }

    /// Elements by their places in row-major order.
    static func computed(_ shape: [Int], _ element: (Int) -> Double) throws(ApusError) -> Tensor {
        var place = -1
        return try .drawn(shape) {
            place += 1
            return element(place)
        }
    }

    /// Uniform in ±limit.
    static func uniform(_ shape: [Int], limit: Double, _ random: inout Philox) throws(ApusError) -> Tensor {
        try RandomUniform(-limit, limit).tensor(shape, &random)
    }

    /// Truncated normal that has this standard deviation after the cut; a standard normal's is 0.8796… then.
    static func truncatedNormal(
        _ shape: [Int], deviation: Double, _ random: inout Philox
    ) throws(ApusError) -> Tensor {
        try TruncatedNormal(deviation: deviation / 0.879_625_661_034_239_78).tensor(shape, &random)
    }
}
