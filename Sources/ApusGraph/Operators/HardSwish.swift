import CModelFormat

extension OperatorEntry {
    /// y = x·min(max(x + 3, 0), 6) / 6. ONNX: HardSwish.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static let hardSwish = OperatorEntry("HardSwish", APUS__NODE__OPERATOR_HARD_SWISH) { _ throws(ApusError) in
        ActivationOperator(.hardSwish)
    }
}
