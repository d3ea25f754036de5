import CKernels
import CModelFormat

/// y = −x; integers wrap. ONNX: Neg.
///
/// Input: x, f32, f64, i32 or i64. Output: y, shaped like x.
public final class Neg: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Neg", APUS__NODE__OPERATOR_NEG) { Neg() }
    public override var entry: OperatorEntry { Neg.entry }

    // MARK: Shape rule

    override var dtypes: [DType] { .signed }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_NEG }

    // MARK: Gradient

    /// dx = −dy
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [try g(Neg(), try g.dy())] }
}
