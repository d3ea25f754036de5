import CKernels
import CModelFormat

/// dx = y·(dy − Σ y·dy) along an axis: the gradient of Softmax.
///
/// Inputs: y, the result of softmax, f32 or f64; dy. Output: dx. All of one shape.
public final class SoftmaxGradient: AlongAxis {
    // MARK: Wire

    public static let entry = AlongAxis.entry("SoftmaxGradient", APUS__NODE__OPERATOR_SOFTMAX_GRADIENT) {
        SoftmaxGradient(axis: $0)
    }
    public override var entry: OperatorEntry { SoftmaxGradient.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    // MARK: Kernel choice

    override var operation: ck_softmax_op { CK_SOFTMAX_GRADIENT }
}
