import CKernels
import CModelFormat

/// y = the first index of the least x along an axis. ONNX: ArgMin.
public final class ArgMin: ArgReduction {
    // MARK: Wire

    public static let entry = ArgReduction.entry("ArgMin", APUS__NODE__OPERATOR_ARG_MIN) {
        ArgMin(axis: $0, keepDimensions: $1)
    }
    public override var entry: OperatorEntry { ArgMin.entry }

    // MARK: Kernel choice

    override var operation: ck_arg_op { CK_ARG_MIN }
}
