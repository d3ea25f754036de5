import CKernels
import CModelFormat

/// y = the first index of the greatest x along an axis. ONNX: ArgMax.
public final class ArgMax: ArgReduction {
    // MARK: Wire

    public static let entry = ArgReduction.entry("ArgMax", APUS__NODE__OPERATOR_ARG_MAX) {
        ArgMax(axis: $0, keepDimensions: $1)
    }
    public override var entry: OperatorEntry { ArgMax.entry }

    // MARK: Kernel choice

    override var operation: ck_arg_op { CK_ARG_MAX }
}
