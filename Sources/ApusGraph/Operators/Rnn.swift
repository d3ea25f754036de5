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
        hasInitialState: Bool = false
    ) {
        function = activation
        super.init(reverse: reverse, timeMajor: timeMajor, hasLengths: hasLengths, hasInitialState: hasInitialState)
    }

    // MARK: Wire

    public static let entry = RecurrentLayer.entry("RNN", APUS__NODE__OPERATOR_RNN) { m throws(ApusError) in
        Rnn(
            activation: try Activation(wire: m.activation), reverse: m.reverse != 0, timeMajor: m.time_major != 0,
            hasLengths: m.has_lengths != 0, hasInitialState: m.has_initial_state != 0)
    }
    public override var entry: OperatorEntry { Rnn.entry }

    // MARK: Kernel choice

    override var cell: ck_cell { CK_RNN }
}
