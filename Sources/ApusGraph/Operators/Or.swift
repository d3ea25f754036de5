import CKernels
import CModelFormat

extension Operator {
    /// y = a ∨ b, broadcast. ONNX: Or.
    ///
    /// Inputs: a, b, bool. Output: y, bool.
    public static var or: Operator { BinaryElementwise(.or) }
}

extension BinaryRule {
    static let or = BinaryRule("Or", APUS__NODE__OPERATOR_OR, CK_BINARY_OR, .bool)
}
