import CKernels
import CModelFormat

/// y = (a < b), broadcast. ONNX: Less.
///
/// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y, bool.
public final class Less: Comparison {
    // MARK: Wire

    public static let entry = OperatorEntry("Less", APUS__NODE__OPERATOR_LESS) { Less() }
    public override var entry: OperatorEntry { Less.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_LT }
}
