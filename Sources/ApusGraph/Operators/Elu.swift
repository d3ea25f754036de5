import CKernels
import CModelFormat

/// y = x for x ≥ 0, else α·(eˣ − 1). Clevert, Unterthiner & Hochreiter 2015. ONNX: Elu.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Elu: ActivationOperator {
    public init(alpha: Float = 1) { super.init(.elu(alpha: alpha)) }

    // MARK: Wire

    public static let entry = OperatorEntry("Elu", APUS__NODE__OPERATOR_ELU) { node throws(ApusError) in
        Elu(alpha: node.elu.pointee.alpha)
    }
    public override var entry: OperatorEntry { Elu.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.elu = wire.message(apus__alpha__init) { $0.alpha = activation.params.alpha }
    }
}
