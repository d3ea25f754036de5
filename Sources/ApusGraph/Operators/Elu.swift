import CModelFormat

extension OperatorEntry {
    /// y = x for x ≥ 0, else α·(eˣ − 1). Clevert, Unterthiner & Hochreiter 2015. ONNX: Elu.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static let elu = OperatorEntry("Elu", APUS__NODE__OPERATOR_ELU) { node throws(ApusError) in
        ActivationOperator(.elu(alpha: node.elu.pointee.alpha))
    }
}
