import CKernels
import CModelFormat

extension Operator {
    /// y = |x|; the lowest integer stays. ONNX: Abs.
    ///
    /// Input: x, f32, f64, i32 or i64. Output: y, shaped like x.
    public static var abs: Operator { UnaryElementwise(.abs) }
}

extension UnaryRule {
    static let abs = UnaryRule("Abs", APUS__NODE__OPERATOR_ABS, CK_UNARY_ABS, .signed) { g throws(ApusError) in
        // dx = dy·sign x, 0 at 0
        [try g(.mul, try g.dy(), try g(.sign, g.x))]
    }
}
