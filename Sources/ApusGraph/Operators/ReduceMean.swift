import CKernels
import CModelFormat

extension ReductionRule {
    /// y = Σ x / count over the axes; NaN over nothing. Of f32 and f64. ONNX: ReduceMean.
    public static let mean = ReductionRule(
        "ReduceMean", APUS__NODE__OPERATOR_REDUCE_MEAN, CK_REDUCE_MEAN, .floats
    ) { g, axes throws(ApusError) in try g.mean(axes) }
}
