import CKernels
import CModelFormat

/// y = sin x. ONNX: Sin.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Sin: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Sin", APUS__NODE__OPERATOR_SIN) { Sin() }
    public override var entry: OperatorEntry { Sin.entry }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_SIN }
    override var operationsPerElement: Int { 25 }

    // MARK: Gradient

    /// dx = dy·cos x
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(Mul(), try g.dy(), try g(Cos(), g.x))]
    }
}
