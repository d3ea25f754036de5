import CKernels
import CModelFormat

/// y = low + (high − low)·u, u uniform in [0, 1) with 24 bits; rounding may reach `high`. ONNX: RandomUniform.
///
/// Input: counter, an i64 scalar. Output: y, f32.
public final class RandomUniform: RandomNumbers {
    public var low: Float { first }
    public var high: Float { second }

    public init(_ shape: [Int], source: RandomSource, low: Float = 0, high: Float = 1) {
        super.init(shape, source, low, high)
    }

    // MARK: Wire

    public static let entry = RandomNumbers.entry("RandomUniform", APUS__NODE__OPERATOR_RANDOM_UNIFORM) {
        RandomUniform($0, source: $1, low: $2, high: $3)
    }
    public override var entry: OperatorEntry { RandomUniform.entry }

    // MARK: Kernel choice

    override var task: (ck_isa) -> ck_task? { { ck_random_uniform(CK_F32, $0) } }
    override var scale: Float { high - low }
}
