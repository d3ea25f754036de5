import CKernels
import CModelFormat

extension Operator {
    /// y = ⌈x⌉. ONNX: Ceil.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static var ceil: Operator { UnaryElementwise(.ceil) }
}

extension UnaryRule {
    static let ceil = UnaryRule("Ceil", APUS__NODE__OPERATOR_CEIL, CK_UNARY_CEIL)
}
