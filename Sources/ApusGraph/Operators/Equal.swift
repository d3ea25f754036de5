import CKernels
import CModelFormat

extension Operator {
    /// y = (a = b), broadcast. ONNX: Equal.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32, i64 or bool. Output: y, bool.
    public static var equal: Operator { BinaryElementwise(.equal) }
}

extension BinaryRule {
    static let equal = BinaryRule("Equal", APUS__NODE__OPERATOR_EQUAL, CK_BINARY_EQ, .numbers | .bool, isComparison: true)
}
