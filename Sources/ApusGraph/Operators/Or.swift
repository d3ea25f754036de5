import CKernels
import CModelFormat

extension Operator {
    /// y = a ∨ b, bit by bit, broadcast. ONNX: Or, BitwiseOr.
    ///
    /// Inputs: a, b, both bool, i8, u8, i32 or i64. Output: y of their type.
    public static var or: Operator { BinaryElementwise(.or) }
}

extension BinaryRule {
    static let or = BinaryRule("Or", APUS__NODE__OPERATOR_OR, CK_BINARY_OR, .bits)
}
