import CKernels
import CModelFormat

extension Operator {
    /// y = 1 / x. ONNX: Reciprocal.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static var reciprocal: Operator { UnaryElementwise(.reciprocal) }
}

extension UnaryRule {
    static let reciprocal = UnaryRule("Reciprocal", APUS__NODE__OPERATOR_RECIPROCAL, CK_UNARY_RECIPROCAL, operations: 4) { g throws(ApusError) in
        // dx = −dy·y²
        [try g(.neg, try g(.mul, try g.dy(), try g(.square, g.y)))]
    }
}
