import CKernels
import CModelFormat

/// y = ¬x. ONNX: Not.
///
/// Input: x, bool. Output: y, shaped like x.
public final class Not: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Not", APUS__NODE__OPERATOR_NOT) { Not() }
    public override var entry: OperatorEntry { Not.entry }

    // MARK: Shape rule

    override var dtypes: [DType] { [.bool] }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_NOT }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [nil] }
}
