import CKernels
import CModelFormat

/// y[n, c] = the mean of x[n, …, c], channels last.
///
/// Input: x [N, …, C] of rank 3 or more. Output: y [N, C]. ONNX: GlobalAveragePool, which keeps the
/// pooled axes as 1.
public final class GlobalAvgPool: GlobalPool {
    // MARK: Wire

    public static let entry = OperatorEntry("GlobalAvgPool", APUS__NODE__OPERATOR_GLOBAL_AVG_POOL) {
        _ throws(ApusError) in GlobalAvgPool()
    }
    public override var entry: OperatorEntry { GlobalAvgPool.entry }

    // MARK: Kernel choice

    override var operation: ck_reduce_op { CK_REDUCE_MEAN }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try meanGradient(g, over: pooled(g))]
    }
}
