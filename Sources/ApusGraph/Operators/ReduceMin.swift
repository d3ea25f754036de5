import CKernels
import CModelFormat

extension ReductionRule {
    /// y = the least x over the axes, NaN if one is NaN; +∞, or the highest integer, over nothing. ONNX: ReduceMin.
    public static let min = ReductionRule(
        "ReduceMin", APUS__NODE__OPERATOR_REDUCE_MIN, CK_REDUCE_MIN, .signed
    ) { g, axes throws(ApusError) in try g.extreme(axes) }
}
