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
        hasInitialState: Bool = false, keepsGates: Bool = false, hasStateMask: Bool = false,
        stateProduct: StateProduct = .real
    ) {
        isResetAfter = resetAfter
        super.init(
            reverse: reverse, timeMajor: timeMajor, hasLengths: hasLengths, hasInitialState: hasInitialState,
            keepsGates: keepsGates, hasStateMask: hasStateMask, stateProduct: stateProduct)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("GRU", APUS__NODE__OPERATOR_GRU) { node throws(ApusError) in
        try Gru.read(node.gru.pointee)
    }
    /// With what the gradient reads as a further output.
    public static let trainingEntry = OperatorEntry("GRUTraining", APUS__NODE__OPERATOR_GRU_TRAINING) {
        node throws(ApusError) in try Gru.read(node.gru_training.pointee, keepsGates: true)
    }
    public override var entry: OperatorEntry { keepsGates ? Gru.trainingEntry : Gru.entry }

    static func read(_ m: Apus__Recurrent, keepsGates: Bool = false) throws(ApusError) -> RecurrentLayer {
        Gru(
            resetAfter: m.reset_after != 0, reverse: m.reverse != 0, timeMajor: m.time_major != 0,
            hasLengths: m.has_lengths != 0, hasInitialState: m.has_initial_state != 0, keepsGates: keepsGates,
            hasStateMask: m.has_state_mask != 0, stateProduct: StateProduct(m))
    }

    // MARK: Kernel choice

    override var cell: ck_cell { CK_GRU }
}
