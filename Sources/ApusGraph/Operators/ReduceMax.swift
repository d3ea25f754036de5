import CKernels
import CModelFormat

extension ReductionRule {
    /// y = the greatest x over the axes, NaN if one is NaN; −∞, or the lowest integer, over nothing. ONNX: ReduceMax.
    public static let max = ReductionRule(
        "ReduceMax", APUS__NODE__OPERATOR_REDUCE_MAX, CK_REDUCE_MAX, .signed
    ) { g, axes throws(ApusError) in try g.extreme(axes) }
}
