import CKernels
import CModelFormat

extension Operator {
    /// y = (a ≠ b), broadcast. ONNX: Not of Equal.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32, i64 or bool. Output: y, bool.
    public static var notEqual: Operator { BinaryElementwise(.notEqual) }
}

extension BinaryRule {
    static let notEqual = BinaryRule("NotEqual", APUS__NODE__OPERATOR_NOT_EQUAL, CK_BINARY_NE, .numbers | .bool, isComparison: true)
}
