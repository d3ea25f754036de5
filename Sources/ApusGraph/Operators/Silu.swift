import CModelFormat

extension OperatorEntry {
    /// y = x / (1 + e⁻ˣ), also called Swish. ONNX: Mul of x and Sigmoid.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static let silu = OperatorEntry("Silu", APUS__NODE__OPERATOR_SILU) { _ throws(ApusError) in
        ActivationOperator(.silu)
    }
}
