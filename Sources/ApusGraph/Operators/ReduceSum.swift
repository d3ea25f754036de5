import CKernels
import CModelFormat

extension ReductionRule {
    /// y = Σ x over the axes; 0 over nothing, wrapping in integers. ONNX: ReduceSum.
    public static let sum = ReductionRule(
        "ReduceSum", APUS__NODE__OPERATOR_REDUCE_SUM, CK_REDUCE_SUM, .signed
    ) { g, axes throws(ApusError) in try g.spread(try g.dy(), axes) }
}
