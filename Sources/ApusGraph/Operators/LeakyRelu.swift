import CKernels
import CModelFormat

/// y = x for x ≥ 0, else α·x. ONNX: LeakyRelu.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class LeakyRelu: ActivationOperator {
    public init(alpha: Float = 0.01) { super.init(.leakyRelu(alpha: alpha)) }

    // MARK: Wire

    public static let entry = OperatorEntry("LeakyRelu", APUS__NODE__OPERATOR_LEAKY_RELU) { node throws(ApusError) in
        LeakyRelu(alpha: node.leaky_relu.pointee.alpha)
    }
    public override var entry: OperatorEntry { LeakyRelu.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.leaky_relu = wire.message(apus__alpha__init) { $0.alpha = activation.params.alpha }
    }
}
