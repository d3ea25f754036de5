import CKernels
import CModelFormat

/// y = x²; integers wrap. ONNX: Mul of x with itself.
///
/// Input: x, f32, f64, i32 or i64. Output: y, shaped like x.
public final class Square: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Square", APUS__NODE__OPERATOR_SQUARE) { Square() }
    public override var entry: OperatorEntry { Square.entry }

    // MARK: Shape rule

    override var dtypes: [DType] { .signed }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_SQUARE }

    // MARK: Gradient

    /// dx = dy·2x
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(Mul(), try g.dy(), try g(Add(), g.x, g.x))]
    }
}
