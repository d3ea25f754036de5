import CKernels
import CModelFormat

/// y = 1 / x. ONNX: Reciprocal.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Reciprocal: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Reciprocal", APUS__NODE__OPERATOR_RECIPROCAL) { Reciprocal() }
    public override var entry: OperatorEntry { Reciprocal.entry }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_RECIPROCAL }
    override var operationsPerElement: Int { 4 }

    // MARK: Gradient

    /// dx = −dy·y²
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(Neg(), try g(Mul(), try g.dy(), try g(Square(), g.y)))]
    }
}
