import CKernels
import CModelFormat

/// dx = dy − eʸ·Σ dy along an axis: the gradient of LogSoftmax.
///
/// Inputs: y, the result of the logarithm of softmax, f32 or f64; dy. Output: dx. All of one shape.
public final class LogSoftmaxGradient: AlongAxis {
    // MARK: Wire

    public static let entry = AlongAxis.entry("LogSoftmaxGradient", APUS__NODE__OPERATOR_LOG_SOFTMAX_GRADIENT) {
        LogSoftmaxGradient(axis: $0)
    }
    public override var entry: OperatorEntry { LogSoftmaxGradient.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    // MARK: Kernel choice

    override var operation: ck_softmax_op { CK_LOG_SOFTMAX_GRADIENT }
}
