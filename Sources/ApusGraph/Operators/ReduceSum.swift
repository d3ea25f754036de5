import CKernels
import CModelFormat

/// y = Σ x over the axes; 0 over nothing, wrapping in integers. ONNX: ReduceSum.
public final class ReduceSum: Reduction {
    // MARK: Wire

    public static let entry = Reduction.entry("ReduceSum", APUS__NODE__OPERATOR_REDUCE_SUM) {
        ReduceSum(axes: $0, keepDimensions: $1)
    }
    public override var entry: OperatorEntry { ReduceSum.entry }

    // MARK: Kernel choice

    override var operation: ck_reduce_op { CK_REDUCE_SUM }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(ExpandLike(axes: axes, keepDimensions: keepDimensions), g.dy(), g.x)]
    }
}
