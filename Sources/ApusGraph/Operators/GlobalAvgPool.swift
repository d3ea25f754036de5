import CKernels
import CModelFormat

extension ReductionRule {
    /// y[n, c] = the mean of x[n, …, c], channels last.
    ///
    /// Input: x [N, …, C] of rank 3 or more. Output: y [N, C]. ONNX: GlobalAveragePool, which keeps the
    /// pooled axes as 1.
    public static let globalAvgPool = ReductionRule(
        "GlobalAvgPool", APUS__NODE__OPERATOR_GLOBAL_AVG_POOL, CK_REDUCE_MEAN, .floats, isGlobalPool: true
    ) { g, axes throws(ApusError) in try g.mean(axes) }
}
