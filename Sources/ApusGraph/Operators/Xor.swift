import CKernels
import CModelFormat

/// y = a ⊕ b, broadcast. ONNX: Xor.
///
/// Inputs: a, b, bool. Output: y, bool.
public final class Xor: Logical {
    // MARK: Wire

    public static let entry = OperatorEntry("Xor", APUS__NODE__OPERATOR_XOR) { Xor() }
    public override var entry: OperatorEntry { Xor.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_XOR }
}
