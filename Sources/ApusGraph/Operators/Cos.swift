import CKernels
import CModelFormat

/// y = cos x. ONNX: Cos.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Cos: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Cos", APUS__NODE__OPERATOR_COS) { Cos() }
    public override var entry: OperatorEntry { Cos.entry }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_COS }
    override var operationsPerElement: Int { 25 }

    // MARK: Gradient

    /// dx = −dy·sin x
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(Neg(), try g(Mul(), try g.dy(), try g(Sin(), g.x)))]
    }
}
