import CKernels
import CModelFormat

/// y[n, c] = the greatest of x[n, …, c], channels last.
///
/// Input: x [N, …, C] of rank 3 or more. Output: y [N, C]. ONNX: GlobalMaxPool, which keeps the
/// pooled axes as 1.
public final class GlobalMaxPool: GlobalPool {
    // MARK: Wire

    public static let entry = OperatorEntry("GlobalMaxPool", APUS__NODE__OPERATOR_GLOBAL_MAX_POOL) {
        _ throws(ApusError) in GlobalMaxPool()
    }
    public override var entry: OperatorEntry { GlobalMaxPool.entry }

    // MARK: Kernel choice

    override var operation: ck_reduce_op { CK_REDUCE_MAX }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try extremeGradient(g, over: pooled(g))]
    }
}
