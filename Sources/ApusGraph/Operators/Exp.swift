import CKernels
import CModelFormat

extension Operator {
    /// y = eˣ. ONNX: Exp.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static var exp: Operator { UnaryElementwise(.exp) }
}

extension UnaryRule {
    static let exp = UnaryRule("Exp", APUS__NODE__OPERATOR_EXP, CK_UNARY_EXP, operations: 20) { g throws(ApusError) in
        // dx = dy·y
        [try g(.mul, try g.dy(), g.y)]
    }
}
