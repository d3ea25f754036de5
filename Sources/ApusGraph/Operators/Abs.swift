import CKernels
import CModelFormat

/// y = |x|; the lowest integer stays. ONNX: Abs.
///
/// Input: x, f32, f64, i32 or i64. Output: y, shaped like x.
public final class Abs: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Abs", APUS__NODE__OPERATOR_ABS) { Abs() }
    public override var entry: OperatorEntry { Abs.entry }

    // MARK: Shape rule

    override var dtypes: [DType] { .signed }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_ABS }

    // MARK: Gradient

    /// dx = dy·sign x, 0 at 0
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(Mul(), try g.dy(), try g(Sign(), g.x))]
    }
}
