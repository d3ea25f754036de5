import CKernels
import CModelFormat

/// y = x − m − ln Σ e^(x − m) along an axis, m = max x. ONNX: LogSoftmax.
///
/// Input: x, f32 or f64. Output: y, shaped like x; NaN along the axis where x has NaN, +∞ or nothing but −∞.
public final class LogSoftmax: AlongAxis {
    // MARK: Wire

    public static let entry = AlongAxis.entry("LogSoftmax", APUS__NODE__OPERATOR_LOG_SOFTMAX) { LogSoftmax(axis: $0) }
    public override var entry: OperatorEntry { LogSoftmax.entry }

    // MARK: Kernel choice

    override var operation: ck_softmax_op { CK_LOG_SOFTMAX }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(LogSoftmaxGradient(axis: axis), g.y, try g.dy())]
    }
}
