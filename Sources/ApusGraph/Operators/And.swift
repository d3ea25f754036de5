import CKernels
import CModelFormat

extension Operator {
    /// y = a ∧ b, bit by bit, broadcast. ONNX: And, BitwiseAnd.
    ///
    /// Inputs: a, b, both bool, i8, u8, i32 or i64. Output: y of their type.
    public static var and: Operator { BinaryElementwise(.and) }
}

extension BinaryRule {
    static let and = BinaryRule("And", APUS__NODE__OPERATOR_AND, CK_BINARY_AND, .bits)
}
