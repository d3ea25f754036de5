import CKernels
import CModelFormat

extension Operator {
    /// y = (a < b), broadcast. ONNX: Less.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y, bool.
    public static var less: Operator { BinaryElementwise(.less) }
}

extension BinaryRule {
    static let less = BinaryRule("Less", APUS__NODE__OPERATOR_LESS, CK_BINARY_LT, isComparison: true)
}
