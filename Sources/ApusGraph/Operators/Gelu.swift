import CModelFormat

extension OperatorEntry {
    /// y = x·Φ(x), or, with `tanh`, x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))). Hendrycks & Gimpel 2016. ONNX: Gelu.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static let gelu = OperatorEntry("Gelu", APUS__NODE__OPERATOR_GELU) { node throws(ApusError) in
        ActivationOperator(node.gelu.pointee.tanh == 0 ? .gelu : .geluTanh)
    }
}
