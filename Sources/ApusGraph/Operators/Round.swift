import CKernels
import CModelFormat

extension Operator {
    /// y = the nearest integer, halves to even. ONNX: Round.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static var round: Operator { UnaryElementwise(.round) }
}

extension UnaryRule {
    static let round = UnaryRule("Round", APUS__NODE__OPERATOR_ROUND, CK_UNARY_ROUND)
}
