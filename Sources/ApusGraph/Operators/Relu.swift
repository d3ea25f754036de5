import CModelFormat

extension OperatorEntry {
    /// y = max(x, 0). ONNX: Relu.
    ///
    /// Input: x, f32, f64, i32 or i64. Output: y, shaped like x.
    public static let relu = OperatorEntry("Relu", APUS__NODE__OPERATOR_RELU) { _ throws(ApusError) in
        ActivationOperator(.relu)
    }
}
