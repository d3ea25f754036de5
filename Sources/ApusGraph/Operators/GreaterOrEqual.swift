import CKernels
import CModelFormat

/// y = (a ≥ b), broadcast. ONNX: GreaterOrEqual.
///
/// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y, bool.
public final class GreaterOrEqual: Comparison {
    // MARK: Wire

    public static let entry = OperatorEntry("GreaterOrEqual", APUS__NODE__OPERATOR_GREATER_OR_EQUAL) {
        GreaterOrEqual()
    }
    public override var entry: OperatorEntry { GreaterOrEqual.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_GE }
}
