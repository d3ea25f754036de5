import CModelFormat

extension OperatorEntry {
    /// y = x for x ≥ 0, else α·x. ONNX: LeakyRelu.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static let leakyRelu = OperatorEntry("LeakyRelu", APUS__NODE__OPERATOR_LEAKY_RELU) { node throws(ApusError) in
        ActivationOperator(.leakyRelu(alpha: node.leaky_relu.pointee.alpha))
    }
}
