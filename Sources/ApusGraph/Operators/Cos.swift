import CKernels
import CModelFormat

extension Operator {
    /// y = cos x. ONNX: Cos.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static var cos: Operator { UnaryElementwise(.cos) }
}

extension UnaryRule {
    static let cos = UnaryRule("Cos", APUS__NODE__OPERATOR_COS, CK_UNARY_COS, operations: 25) { g throws(ApusError) in
        // dx = −dy·sin x
        [try g(.neg, try g(.mul, try g.dy(), try g(.sin, g.x)))]
    }
}
