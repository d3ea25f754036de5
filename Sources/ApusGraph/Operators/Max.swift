import CKernels
import CModelFormat

/// y = the greater of a and b, broadcast; NaN where either is. ONNX: Max of two.
///
/// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
public final class Max: Selection {
    // MARK: Wire

    public static let entry = OperatorEntry("Max", APUS__NODE__OPERATOR_MAX) { Max() }
    public override var entry: OperatorEntry { Max.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_MAX }

    // MARK: Gradient

    /// Half to each operand at ties.
    override func chooses(_ g: Gradient, a: Value, over b: Value) throws(ApusError) -> Value { try g(Greater(), a, b) }
}
