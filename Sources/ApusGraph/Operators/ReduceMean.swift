import CKernels
import CModelFormat

/// y = Σ x / count over the axes; NaN over nothing. Of f32 and f64. ONNX: ReduceMean.
public final class ReduceMean: Reduction {
    // MARK: Wire

    public static let entry = Reduction.entry("ReduceMean", APUS__NODE__OPERATOR_REDUCE_MEAN) {
        ReduceMean(axes: $0, keepDimensions: $1)
    }
    public override var entry: OperatorEntry { ReduceMean.entry }

    // MARK: Kernel choice

    override var operation: ck_reduce_op { CK_REDUCE_MEAN }
    override var takesIntegers: Bool { false }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try meanGradient(g, over: attributes)]
    }
}
