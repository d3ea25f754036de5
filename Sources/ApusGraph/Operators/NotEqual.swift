import CKernels
import CModelFormat

/// y = (a ≠ b), broadcast. ONNX: Not of Equal.
///
/// Inputs: a, b of one type: f32, f64, i8, u8, i32, i64 or bool. Output: y, bool.
public final class NotEqual: Comparison {
    // MARK: Wire

    public static let entry = OperatorEntry("NotEqual", APUS__NODE__OPERATOR_NOT_EQUAL) { NotEqual() }
    public override var entry: OperatorEntry { NotEqual.entry }

    // MARK: Shape rule

    override var dtypes: [DType] { .numbers + [.bool] }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_NE }
}
