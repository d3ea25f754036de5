import CKernels
import CModelFormat

extension Operator {
    /// y = sin x. ONNX: Sin.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static var sin: Operator { UnaryElementwise(.sin) }
}

extension UnaryRule {
    static let sin = UnaryRule("Sin", APUS__NODE__OPERATOR_SIN, CK_UNARY_SIN, operations: 25) { g throws(ApusError) in
        // dx = dy·cos x
        [try g(.mul, try g.dy(), try g(.cos, g.x))]
    }
}
