import CKernels
import CModelFormat

/// y = ln x; −∞ at 0, NaN below. ONNX: Log.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Log: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Log", APUS__NODE__OPERATOR_LOG) { Log() }
    public override var entry: OperatorEntry { Log.entry }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_LOG }
    override var operationsPerElement: Int { 20 }

    // MARK: Gradient

    /// dx = dy / x
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [try g(Div(), try g.dy(), g.x)] }
}
