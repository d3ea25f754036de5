import CKernels
import CModelFormat

/// y = a ∨ b, broadcast. ONNX: Or.
///
/// Inputs: a, b, bool. Output: y, bool.
public final class Or: Logical {
    // MARK: Wire

    public static let entry = OperatorEntry("Or", APUS__NODE__OPERATOR_OR) { Or() }
    public override var entry: OperatorEntry { Or.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_OR }
}
