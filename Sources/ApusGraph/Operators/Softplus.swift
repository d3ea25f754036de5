import CModelFormat

extension OperatorEntry {
    /// y = ln(1 + eˣ). ONNX: Softplus.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static let softplus = OperatorEntry("Softplus", APUS__NODE__OPERATOR_SOFTPLUS) { _ throws(ApusError) in
        ActivationOperator(.softplus)
    }
}
