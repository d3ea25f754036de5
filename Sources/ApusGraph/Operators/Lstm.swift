import CKernels
import CModelFormat

/// i, f, o = σ(x + h·R) of their gates, g = tanh(x_g + h·R_g), c = f·c + i·g, h = o·tanh(c), step by step; gates in the
/// order i, f, g, o. ONNX: LSTM, of one direction (Hochreiter & Schmidhuber 1997; Gers et al. 2000).
///
/// Inputs and outputs: see `RecurrentLayer`.
public final class Lstm: RecurrentLayer {
    public override init(
        reverse: Bool = false, timeMajor: Bool = false, hasLengths: Bool = false, hasInitialState: Bool = false,
        keepsGates: Bool = false, hasStateMask: Bool = false,
        stateProduct: StateProduct = .real
    ) {
        super.init(
            reverse: reverse, timeMajor: timeMajor, hasLengths: hasLengths, hasInitialState: hasInitialState,
            keepsGates: keepsGates, hasStateMask: hasStateMask, stateProduct: stateProduct)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("LSTM", APUS__NODE__OPERATOR_LSTM) { node throws(ApusError) in
        try Lstm.read(node.lstm.pointee)
    }
    /// With what the gradient reads as a further output.
    public static let trainingEntry = OperatorEntry("LSTMTraining", APUS__NODE__OPERATOR_LSTM_TRAINING) {
        node throws(ApusError) in try Lstm.read(node.lstm_training.pointee, keepsGates: true)
    }
    public override var entry: OperatorEntry { keepsGates ? Lstm.trainingEntry : Lstm.entry }

    static func read(_ m: Apus__Recurrent, keepsGates: Bool = false) throws(ApusError) -> RecurrentLayer {
        Lstm(
            reverse: m.reverse != 0, timeMajor: m.time_major != 0, hasLengths: m.has_lengths != 0,
            hasInitialState: m.has_initial_state != 0, keepsGates: keepsGates,
            hasStateMask: m.has_state_mask != 0, stateProduct: StateProduct(m))
    }

    // MARK: Kernel choice

    override var cell: ck_cell { CK_LSTM }
}
