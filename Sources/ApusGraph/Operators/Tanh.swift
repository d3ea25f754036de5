import CKernels
import CModelFormat

/// y = tanh x. ONNX: Tanh.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Tanh: ActivationOperator {
    public init() { super.init(.tanh) }

    // MARK: Wire

    public static let entry = OperatorEntry("Tanh", APUS__NODE__OPERATOR_TANH) { Tanh() }
    public override var entry: OperatorEntry { Tanh.entry }
}
