import CKernels
import CModelFormat

extension Operator {
    /// y = a ⊕ b, bit by bit, broadcast. ONNX: Xor, BitwiseXor.
    ///
    /// Inputs: a, b, both bool, i8, u8, i32 or i64. Output: y of their type.
    public static var xor: Operator { BinaryElementwise(.xor) }
}

extension BinaryRule {
    static let xor = BinaryRule("Xor", APUS__NODE__OPERATOR_XOR, CK_BINARY_XOR, .bits)
}
