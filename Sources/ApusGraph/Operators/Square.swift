import CKernels
import CModelFormat

extension Operator {
    /// y = x²; integers wrap. ONNX: Mul of x with itself.
    ///
    /// Input: x, f32, f64, i32 or i64. Output: y, shaped like x.
    public static var square: Operator { UnaryElementwise(.square) }
}

extension UnaryRule {
    static let square = UnaryRule("Square", APUS__NODE__OPERATOR_SQUARE, CK_UNARY_SQUARE, .signed) { g throws(ApusError) in
        // dx = dy·2x
        [try g(.mul, try g.dy(), try g(.add, g.x, g.x))]
    }
}
