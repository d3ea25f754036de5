import CKernels
import CModelFormat

extension Operator {
    /// y = (a ≥ b), broadcast. ONNX: GreaterOrEqual.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y, bool.
    public static var greaterOrEqual: Operator { BinaryElementwise(.greaterOrEqual) }
}

extension BinaryRule {
    static let greaterOrEqual = BinaryRule("GreaterOrEqual", APUS__NODE__OPERATOR_GREATER_OR_EQUAL, CK_BINARY_GE, isComparison: true)
}
