import CKernels
import CModelFormat

/// y = ⌈x⌉. ONNX: Ceil.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Ceil: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Ceil", APUS__NODE__OPERATOR_CEIL) { Ceil() }
    public override var entry: OperatorEntry { Ceil.entry }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_CEIL }

    // MARK: Gradient

    /// It is 0 wherever it exists, so none flows.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [nil] }
}
