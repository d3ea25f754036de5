import CKernels
import CModelFormat

extension Operator {
    /// y = −x; integers wrap. ONNX: Neg.
    ///
    /// Input: x, f32, f64, i32 or i64. Output: y, shaped like x.
    public static var neg: Operator { UnaryElementwise(.neg) }
}

extension UnaryRule {
    static let neg = UnaryRule("Neg", APUS__NODE__OPERATOR_NEG, CK_UNARY_NEG, .signed) { g throws(ApusError) in
        // dx = −dy
        [try g(.neg, try g.dy())]
    }
}
