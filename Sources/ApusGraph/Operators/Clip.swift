import CKernels
import CModelFormat

/// y = min(max(x, minimum), maximum); the maximum where the bounds cross, NaN stays. ONNX: Clip.
///
/// Input: x, f32, f64, i32 or i64. Output: y, shaped like x.
public final class Clip: ActivationOperator {
    public init(minimum: Float, maximum: Float) { super.init(.clip(minimum: minimum, maximum: maximum)) }

    // MARK: Wire

    public static let entry = OperatorEntry("Clip", APUS__NODE__OPERATOR_CLIP) { node throws(ApusError) in
        Clip(minimum: node.clip.pointee.minimum, maximum: node.clip.pointee.maximum)
    }
    public override var entry: OperatorEntry { Clip.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.clip = wire.message(apus__clip__init) {
            $0.minimum = activation.params.alpha
            $0.maximum = activation.params.beta
        }
    }

    // MARK: Shape rule

    override var dtypes: [DType] { .signed }
}
