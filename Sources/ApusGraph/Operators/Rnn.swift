import CKernels
import CModelFormat

/// h = act(x + h·R), step by step. ONNX: RNN, of one direction (Elman 1990).
///
/// Inputs and outputs: see `RecurrentLayer`.
public final class Rnn: RecurrentLayer {
    public override var activation: Activation { function }
    private let function: Activation

    public init(
        activation: Activation = .tanh, reverse: Bool = false, timeMajor: Bool = false, hasLengths: Bool = false,
        hasInitialState: Bool = false, keepsGates: Bool = false, hasStateMask: Bool = false,
        stateProduct: StateProduct = .real
    ) {
        function = activation
        super.init(
            reverse: reverse, timeMajor: timeMajor, hasLengths: hasLengths, hasInitialState: hasInitialState,
            keepsGates: keepsGates, hasStateMask: hasStateMask, stateProduct: stateProduct)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("RNN", APUS__NODE__OPERATOR_RNN) { node throws(ApusError) in
        try Rnn.read(node.rnn.pointee)
    }
    /// With what the gradient reads as a further output.
    public static let trainingEntry = OperatorEntry("RNNTraining", APUS__NODE__OPERATOR_RNN_TRAINING) {
        node throws(ApusError) in try Rnn.read(node.rnn_training.pointee, keepsGates: true)
    }
    public override var entry: OperatorEntry { keepsGates ? Rnn.trainingEntry : Rnn.entry }

    static func read(_ m: Apus__Recurrent, keepsGates: Bool = false) throws(ApusError) -> RecurrentLayer {
        Rnn(
            activation: try Activation(wire: m.activation), reverse: m.reverse != 0, timeMajor: m.time_major != 0,
            hasLengths: m.has_lengths != 0, hasInitialState: m.has_initial_state != 0, keepsGates: keepsGates,
            hasStateMask: m.has_state_mask != 0, stateProduct: StateProduct(m))
    }

    // MARK: Kernel choice

    override var cell: ck_cell { CK_RNN }
}
