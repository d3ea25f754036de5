import CKernels
import CModelFormat

extension Operator {
    /// y = a ⊕ b, broadcast. ONNX: Xor.
    ///
    /// Inputs: a, b, bool. Output: y, bool.
    public static var xor: Operator { BinaryElementwise(.xor) }
}

extension BinaryRule {
    static let xor = BinaryRule("Xor", APUS__NODE__OPERATOR_XOR, CK_BINARY_XOR, .bool)
}
