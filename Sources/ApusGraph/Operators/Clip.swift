import CModelFormat

extension OperatorEntry {
    /// y = min(max(x, minimum), maximum); the maximum where the bounds cross, NaN stays. ONNX: Clip.
    ///
    /// Input: x, f32, f64, i32 or i64. Output: y, shaped like x.
    public static let clip = OperatorEntry("Clip", APUS__NODE__OPERATOR_CLIP) { node throws(ApusError) in
        ActivationOperator(.clip(minimum: node.clip.pointee.minimum, maximum: node.clip.pointee.maximum))
    }
}
