import CKernels
import CModelFormat

/// y = the greatest x over the axes, NaN if one is NaN; −∞, or the lowest integer, over nothing. ONNX: ReduceMax.
public final class ReduceMax: Reduction {
    // MARK: Wire

    public static let entry = Reduction.entry("ReduceMax", APUS__NODE__OPERATOR_REDUCE_MAX) {
        ReduceMax(axes: $0, keepDimensions: $1)
    }
    public override var entry: OperatorEntry { ReduceMax.entry }

    // MARK: Kernel choice

    override var operation: ck_reduce_op { CK_REDUCE_MAX }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try extremeGradient(g, over: attributes)]
    }
}
