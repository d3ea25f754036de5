import ApusGraph
import Foundation

/// Rotary positions (Su et al. 2021): of every head of queries and keys, elements i and i + size/2 turn by the angle
/// position / base^(2i/size), so that a product of two depends on how far apart they stand.
public struct RotaryPositions: Sendable {
    /// How many positions there are; a stream has zeros after them.
    public let length: Int
    public let base: Double

    public init(length: Int = 2048, base: Double = 10_000) {
        self.length = length
        self.base = base
    }

    /// Turns x [batch, time, heads · size].
    func turned(_ x: Value, heads: Int, _ context: LayerContext) throws(ApusError) -> Value {
        let size = x.shape.last / heads, half = size / 2, time = x.shape[1]
        guard size % 2 == 0, length > 0, base > 0 else {
            throw .argument("rotary positions of heads of \(size), wanted an even size, a length and a base above 0")
        }
        let pairs = try context(ApusGraph.Reshape([0, 0, heads, 2, half]), x)
        let swap = try context.table("rotary_swap") { () throws(ApusError) in try Tensor([Int64(1), 0]) }
        let swapped = try context(Gather(axis: 3), pairs, swap)
        // [a, b] becomes [a·cos − b·sin, b·cos + a·sin].
        let still = try context(.mul, pairs, try factors("cos", x, [1, half], context) { angle, _ in cos(angle) })
        let sines = try factors("sin", x, [2, half], context) { angle, pair in pair == 0 ? -sin(angle) : sin(angle) }
        let moved = try context(.mul, swapped, sines)
        return try context(ApusGraph.Reshape([0, time, heads * size]), try context(.add, still, moved))
    }

    /// f(angle, which of the pair) for the positions of x, [time, 1, pair, half].
    private func factors(
        _ name: String, _ x: Value, _ shape: [Int], _ context: LayerContext, _ f: (Double, Int) -> Double
    ) throws(ApusError) -> Value {
        let half = shape[1], count = shape[0] * half
        let table = try context.table("rotary_\(name)_\(length)_\(half)_\(base)") { () throws(ApusError) in
            try Tensor.computed([length, 1] + shape) { at in
                let angle = Double(at / count) / pow(base, Double(at % half) / Double(half))
                return f(angle, at % count / half)
            }
        }
        return try context.rows(of: table, along: x)
    }
}
