import CKernels
import CModelFormat

/// y = mean + deviation·z, z standard normal by Box & Muller (1958). ONNX: RandomNormal.
///
/// Input: counter, an i64 scalar. Output: y, f32.
public final class RandomNormal: RandomNumbers {
    public var mean: Float { first }
    public var deviation: Float { second }

    public init(_ shape: [Int], source: RandomSource, mean: Float = 0, deviation: Float = 1) {
        super.init(shape, source, mean, deviation)
    }

    // MARK: Wire

    public static let entry = RandomNumbers.entry("RandomNormal", APUS__NODE__OPERATOR_RANDOM_NORMAL) {
        RandomNormal($0, source: $1, mean: $2, deviation: $3)
    }
    public override var entry: OperatorEntry { RandomNormal.entry }

    // MARK: Kernel choice

    override var task: (ck_isa) -> ck_task? { { ck_random_normal(CK_F32, $0) } }
}
