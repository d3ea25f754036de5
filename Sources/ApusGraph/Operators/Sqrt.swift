import CKernels
import CModelFormat

/// y = √x; NaN below 0. ONNX: Sqrt.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Sqrt: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Sqrt", APUS__NODE__OPERATOR_SQRT) { Sqrt() }
    public override var entry: OperatorEntry { Sqrt.entry }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_SQRT }
    override var operationsPerElement: Int { 8 }

    // MARK: Gradient

    /// dx = dy / 2y, infinite at 0
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(Div(), try g.dy(), try g(Add(), g.y, g.y))]
    }
}
