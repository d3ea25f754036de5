import CKernels
import CModelFormat

/// y = ln(1 + eˣ). ONNX: Softplus.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Softplus: ActivationOperator {
    public init() { super.init(.softplus) }

    // MARK: Wire

    public static let entry = OperatorEntry("Softplus", APUS__NODE__OPERATOR_SOFTPLUS) { Softplus() }
    public override var entry: OperatorEntry { Softplus.entry }
}
