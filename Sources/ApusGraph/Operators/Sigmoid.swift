import CKernels
import CModelFormat

/// y = 1 / (1 + e⁻ˣ). ONNX: Sigmoid.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Sigmoid: ActivationOperator {
    public init() { super.init(.sigmoid) }

    // MARK: Wire

    public static let entry = OperatorEntry("Sigmoid", APUS__NODE__OPERATOR_SIGMOID) { Sigmoid() }
    public override var entry: OperatorEntry { Sigmoid.entry }
}
