import CKernels
import CModelFormat

/// y = (a ≤ b), broadcast. ONNX: LessOrEqual.
///
/// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y, bool.
public final class LessOrEqual: Comparison {
    // MARK: Wire

    public static let entry = OperatorEntry("LessOrEqual", APUS__NODE__OPERATOR_LESS_OR_EQUAL) { LessOrEqual() }
    public override var entry: OperatorEntry { LessOrEqual.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_LE }
}
