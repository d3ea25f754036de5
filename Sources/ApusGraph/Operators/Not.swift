import CKernels
import CModelFormat

extension Operator {
    /// y = ¬x. ONNX: Not.
    ///
    /// Input: x, bool. Output: y, shaped like x.
    public static var not: Operator { UnaryElementwise(.not) }
}

extension UnaryRule {
    static let not = UnaryRule("Not", APUS__NODE__OPERATOR_NOT, CK_UNARY_NOT, .bool)
}
