import CKernels
import CModelFormat

/// y = the least x over the axes, NaN if one is NaN; +∞, or the highest integer, over nothing. ONNX: ReduceMin.
public final class ReduceMin: Reduction {
    // MARK: Wire

    public static let entry = Reduction.entry("ReduceMin", APUS__NODE__OPERATOR_REDUCE_MIN) {
        ReduceMin(axes: $0, keepDimensions: $1)
    }
    public override var entry: OperatorEntry { ReduceMin.entry }

    // MARK: Kernel choice

    override var operation: ck_reduce_op { CK_REDUCE_MIN }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try extremeGradient(g, over: attributes)]
    }
}
