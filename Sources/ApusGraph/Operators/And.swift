import CKernels
import CModelFormat

/// y = a ∧ b, broadcast. ONNX: And.
///
/// Inputs: a, b, bool. Output: y, bool.
public final class And: Logical {
    // MARK: Wire

    public static let entry = OperatorEntry("And", APUS__NODE__OPERATOR_AND) { And() }
    public override var entry: OperatorEntry { And.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_AND }
}
