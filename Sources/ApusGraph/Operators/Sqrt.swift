import CKernels
import CModelFormat

extension Operator {
    /// y = √x; NaN below 0. ONNX: Sqrt.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static var sqrt: Operator { UnaryElementwise(.sqrt) }
}

extension UnaryRule {
    static let sqrt = UnaryRule("Sqrt", APUS__NODE__OPERATOR_SQRT, CK_UNARY_SQRT, operations: 8) { g throws(ApusError) in
        // dx = dy / 2y, infinite at 0
        [try g(.div, try g.dy(), try g(.add, g.y, g.y))]
    }
}
