import CKernels
import CModelFormat

/// y = −1 below 0, 1 above, and x itself where it is ±0 or NaN. ONNX: Sign.
///
/// Input: x, f32, f64, i32 or i64. Output: y, shaped like x.
public final class Sign: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Sign", APUS__NODE__OPERATOR_SIGN) { Sign() }
    public override var entry: OperatorEntry { Sign.entry }

    // MARK: Shape rule

    override var dtypes: [DType] { .signed }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_SIGN }

    // MARK: Gradient

    /// It is 0 wherever it exists, so none flows.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [nil] }
}
