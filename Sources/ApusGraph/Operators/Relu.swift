import CKernels
import CModelFormat

/// y = max(x, 0). ONNX: Relu.
///
/// Input: x, f32, f64, i32 or i64. Output: y, shaped like x.
public final class Relu: ActivationOperator {
    public init() { super.init(.relu) }

    // MARK: Wire

    public static let entry = OperatorEntry("Relu", APUS__NODE__OPERATOR_RELU) { Relu() }
    public override var entry: OperatorEntry { Relu.entry }

    // MARK: Shape rule

    override var dtypes: [DType] { .signed }

    // MARK: Gradient

    /// y > 0 just where x > 0
    override var differentiatesOutput: Bool { true }
}
