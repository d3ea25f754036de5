import CModelFormat

extension OperatorEntry {
    /// y = min(max(x, 0), 6). ONNX: Clip from 0 to 6.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static let relu6 = OperatorEntry("Relu6", APUS__NODE__OPERATOR_RELU6) { _ throws(ApusError) in
        ActivationOperator(.relu6)
    }
}
