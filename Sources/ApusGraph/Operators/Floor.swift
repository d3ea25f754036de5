import CKernels
import CModelFormat

extension Operator {
    /// y = ⌊x⌋. ONNX: Floor.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static var floor: Operator { UnaryElementwise(.floor) }
}

extension UnaryRule {
    static let floor = UnaryRule("Floor", APUS__NODE__OPERATOR_FLOOR, CK_UNARY_FLOOR)
}
