import CKernels
import CModelFormat

/// y = eˣ. ONNX: Exp.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Exp: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Exp", APUS__NODE__OPERATOR_EXP) { Exp() }
    public override var entry: OperatorEntry { Exp.entry }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_EXP }
    override var operationsPerElement: Int { 20 }

    // MARK: Gradient

    /// dx = dy·y
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [try g(Mul(), try g.dy(), g.y)] }
}
