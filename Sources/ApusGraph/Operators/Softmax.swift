import CKernels
import CModelFormat

/// y = e^(x − m) / Σ e^(x − m) along an axis, m = max x. ONNX: Softmax.
///
/// Input: x, f32 or f64. Output: y, shaped like x; NaN along the axis where x has NaN, +∞ or nothing but −∞.
public final class Softmax: AlongAxis {
    // MARK: Wire

    public static let entry = AlongAxis.entry("Softmax", APUS__NODE__OPERATOR_SOFTMAX) { Softmax(axis: $0) }
    public override var entry: OperatorEntry { Softmax.entry }

    // MARK: Kernel choice

    override var operation: ck_softmax_op { CK_SOFTMAX }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(SoftmaxGradient(axis: axis), g.y, try g.dy())]
    }
}
