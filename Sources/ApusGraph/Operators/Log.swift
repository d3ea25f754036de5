import CKernels
import CModelFormat

extension Operator {
    /// y = ln x; −∞ at 0, NaN below. ONNX: Log.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static var log: Operator { UnaryElementwise(.log) }
}

extension UnaryRule {
    static let log = UnaryRule("Log", APUS__NODE__OPERATOR_LOG, CK_UNARY_LOG, operations: 20) { g throws(ApusError) in
        // dx = dy / x
        [try g(.div, try g.dy(), g.x)]
    }
}
