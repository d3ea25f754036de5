import CKernels
import CModelFormat

extension Operator {
    /// y = (a > b), broadcast. ONNX: Greater.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y, bool.
    public static var greater: Operator { BinaryElementwise(.greater) }
}

extension BinaryRule {
    static let greater = BinaryRule("Greater", APUS__NODE__OPERATOR_GREATER, CK_BINARY_GT, isComparison: true)
}
