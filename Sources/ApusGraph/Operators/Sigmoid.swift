import CModelFormat

extension OperatorEntry {
    /// y = 1 / (1 + e⁻ˣ). ONNX: Sigmoid.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static let sigmoid = OperatorEntry("Sigmoid", APUS__NODE__OPERATOR_SIGMOID) { _ throws(ApusError) in
        ActivationOperator(.sigmoid)
    }
}
