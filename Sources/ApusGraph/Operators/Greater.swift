import CKernels
import CModelFormat

/// y = (a > b), broadcast. ONNX: Greater.
///
/// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y, bool.
public final class Greater: Comparison {
    // MARK: Wire

    public static let entry = OperatorEntry("Greater", APUS__NODE__OPERATOR_GREATER) { Greater() }
    public override var entry: OperatorEntry { Greater.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_GT }
}
