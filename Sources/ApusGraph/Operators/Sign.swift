import CKernels
import CModelFormat

extension Operator {
    /// y = −1 below 0, 1 above, and x itself where it is ±0 or NaN. ONNX: Sign.
    ///
    /// Input: x, f32, f64, i32 or i64. Output: y, shaped like x.
    public static var sign: Operator { UnaryElementwise(.sign) }
}

extension UnaryRule {
    static let sign = UnaryRule("Sign", APUS__NODE__OPERATOR_SIGN, CK_UNARY_SIGN, .signed)
}
