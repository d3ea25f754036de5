import ApusGraph
import Foundation

/// y = x + P with P[position, 2i] = sin(position / 10000^(2i/width)) and P[position, 2i + 1] the cosine (Vaswani et al. 2017).
///
/// x [batch, time, width] of an even width, at most `length` elements; in a stream, positions from `length` on get zeros.
public final class SinusoidalPositions: Layer {
    public let length: Int

    public init(_ length: Int = 2048, name: String = "") {
        self.length = length
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { true }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try sequence(inputs), width = x.shape.last
        guard length > 0, width % 2 == 0 else {
            throw .argument("\(length) positions of width \(width), wanted 1 or more of an even width")
        }
        let table = try context.table("sinusoidal_\(length)_\(width)") { () throws(ApusError) in
            try Tensor.computed([length, width]) { at in
                let angle = Double(at / width) / pow(10_000, Double(at % width / 2 * 2) / Double(width))
                return at % 2 == 0 ? sin(angle) : cos(angle)
            }
        }
        return [try context(.add, x, try context.rows(of: table, along: x))]
    }
}
