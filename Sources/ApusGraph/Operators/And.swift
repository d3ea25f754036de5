import CKernels
import CModelFormat

extension Operator {
    /// y = a ∧ b, broadcast. ONNX: And.
    ///
    /// Inputs: a, b, bool. Output: y, bool.
    public static var and: Operator { BinaryElementwise(.and) }
}

extension BinaryRule {
    static let and = BinaryRule("And", APUS__NODE__OPERATOR_AND, CK_BINARY_AND, .bool)
}
