import CModelFormat

extension OperatorEntry {
    /// y = tanh x. ONNX: Tanh.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static let tanh = OperatorEntry("Tanh", APUS__NODE__OPERATOR_TANH) { _ throws(ApusError) in
        ActivationOperator(.tanh)
    }
}
