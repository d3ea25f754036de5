import CKernels
import CModelFormat

/// y = the nearest integer, halves to even. ONNX: Round.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Round: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Round", APUS__NODE__OPERATOR_ROUND) { Round() }
    public override var entry: OperatorEntry { Round.entry }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_ROUND }

    // MARK: Gradient

    /// It is 0 wherever it exists, so none flows.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [nil] }
}
