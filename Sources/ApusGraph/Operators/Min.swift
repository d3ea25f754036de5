import CKernels
import CModelFormat

/// y = the less of a and b, broadcast; NaN where either is. ONNX: Min of two.
///
/// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
public final class Min: Selection {
    // MARK: Wire

    public static let entry = OperatorEntry("Min", APUS__NODE__OPERATOR_MIN) { Min() }
    public override var entry: OperatorEntry { Min.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_MIN }

    // MARK: Gradient

    /// Half to each operand at ties.
    override func chooses(_ g: Gradient, a: Value, over b: Value) throws(ApusError) -> Value { try g(Less(), a, b) }
}
