import CKernels
import CModelFormat

extension Operator {
    /// y = (a ≤ b), broadcast. ONNX: LessOrEqual.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y, bool.
    public static var lessOrEqual: Operator { BinaryElementwise(.lessOrEqual) }
}

extension BinaryRule {
    static let lessOrEqual = BinaryRule("LessOrEqual", APUS__NODE__OPERATOR_LESS_OR_EQUAL, CK_BINARY_LE, isComparison: true)
}
