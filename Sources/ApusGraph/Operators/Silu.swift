import CKernels
import CModelFormat

/// y = x / (1 + e⁻ˣ), also called Swish. ONNX: Mul of x and Sigmoid.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Silu: ActivationOperator {
    public init() { super.init(.silu) }

    // MARK: Wire

    public static let entry = OperatorEntry("Silu", APUS__NODE__OPERATOR_SILU) { Silu() }
    public override var entry: OperatorEntry { Silu.entry }
}
