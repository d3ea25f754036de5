import CKernels
import CModelFormat

/// r, z = σ(x + h·R) of their gates, n = tanh(x_n + (r·h)·R_n), h = (1 − z)·n + z·h, step by step; gates in the order r, z, n.
/// With `resetAfter`, n = tanh(x_n + r·(h·R_n + b)). ONNX: GRU, of one direction; `linear_before_reset` is `resetAfter`
/// (Cho et al. 2014; Chung et al. 2014).
///
/// Inputs and outputs: see `RecurrentLayer`.
public final class Gru: RecurrentLayer {
    public override var resetAfter: Bool { isResetAfter }
    private let isResetAfter: Bool

    public init(
        resetAfter: Bool, reverse: Bool = false, timeMajor: Bool = false, hasLengths: Bool = false,
        hasInitialState: Bool = false
    ) {
        isResetAfter = resetAfter
        super.init(reverse: reverse, timeMajor: timeMajor, hasLengths: hasLengths, hasInitialState: hasInitialState)
    }

    // MARK: Wire

    public static let entry = RecurrentLayer.entry("GRU", APUS__NODE__OPERATOR_GRU) { m throws(ApusError) in
        Gru(
            resetAfter: m.reset_after != 0, reverse: m.reverse != 0, timeMajor: m.time_major != 0,
            hasLengths: m.has_lengths != 0, hasInitialState: m.has_initial_state != 0)
    }
    public override var entry: OperatorEntry { Gru.entry }

    // MARK: Kernel choice

    override var cell: ck_cell { CK_GRU }
}
