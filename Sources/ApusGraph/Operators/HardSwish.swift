import CKernels
import CModelFormat

/// y = x·min(max(x + 3, 0), 6) / 6. ONNX: HardSwish.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class HardSwish: ActivationOperator {
    public init() { super.init(.hardSwish) }

    // MARK: Wire

    public static let entry = OperatorEntry("HardSwish", APUS__NODE__OPERATOR_HARD_SWISH) { HardSwish() }
    public override var entry: OperatorEntry { HardSwish.entry }
}
