import CKernels
import CModelFormat

/// What the global pools share: y[n, c] reduces x[n, …, c] over all that lies between.
///
/// Input: x [N, …, C] of rank 3 or more, f32 or f64. Output: y [N, C].
public class GlobalPool: Reduction {
    public init() { super.init() }

    override final var takesIntegers: Bool { false }

    // MARK: Wire

    public override final func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.global_avg_pool = wire.message(apus__no_attributes__init)
    }

    // MARK: Shape rule

    override final func mask(_ shape: Shape) throws(ApusError) -> UInt32 {
        guard shape.rank >= 3 else { throw .shape("x \(shape) of rank \(shape.rank), wanted 3 or more") }
        return shape.allAxes & ~1 & ~(1 << UInt32(shape.rank - 1))
    }

    // MARK: Gradient

    /// The pooled axes of the node's x.
    final func pooled(_ g: Gradient) -> Axes { Axes([Int](1..<g.x.shape.rank - 1)) }
}
