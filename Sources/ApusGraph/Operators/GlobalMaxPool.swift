import CKernels
import CModelFormat

extension ReductionRule {
    /// y[n, c] = the greatest of x[n, …, c], channels last.
    ///
    /// Input: x [N, …, C] of rank 3 or more. Output: y [N, C]. ONNX: GlobalMaxPool, which keeps the
    /// pooled axes as 1.
    public static let globalMaxPool = ReductionRule(
        "GlobalMaxPool", APUS__NODE__OPERATOR_GLOBAL_MAX_POOL, CK_REDUCE_MAX, .floats, isGlobalPool: true
    ) { g, axes throws(ApusError) in try g.extreme(axes) }
}
