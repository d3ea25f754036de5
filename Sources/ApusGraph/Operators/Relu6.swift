import CKernels
import CModelFormat

/// y = min(max(x, 0), 6). ONNX: Clip from 0 to 6.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Relu6: ActivationOperator {
    public init() { super.init(.relu6) }

    // MARK: Wire

    public static let entry = OperatorEntry("Relu6", APUS__NODE__OPERATOR_RELU6) { Relu6() }
    public override var entry: OperatorEntry { Relu6.entry }

    // MARK: Gradient

    /// 0 < y < 6 just where 0 < x < 6
    override var differentiatesOutput: Bool { true }
}
