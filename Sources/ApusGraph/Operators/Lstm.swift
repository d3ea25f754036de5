import CKernels
import CModelFormat

/// i, f, o = σ(x + h·R) of their gates, g = tanh(x_g + h·R_g), c = f·c + i·g, h = o·tanh(c), step by step; gates in the
/// order i, f, g, o. ONNX: LSTM, of one direction (Hochreiter & Schmidhuber 1997; Gers et al. 2000).
///
/// Inputs and outputs: see `RecurrentLayer`.
public final class Lstm: RecurrentLayer {
    public override init(
        reverse: Bool = false, timeMajor: Bool = false, hasLengths: Bool = false, hasInitialState: Bool = false
    ) {
        super.init(reverse: reverse, timeMajor: timeMajor, hasLengths: hasLengths, hasInitialState: hasInitialState)
    }

    // MARK: Wire

    public static let entry = RecurrentLayer.entry("LSTM", APUS__NODE__OPERATOR_LSTM) { m throws(ApusError) in
        Lstm(
            reverse: m.reverse != 0, timeMajor: m.time_major != 0, hasLengths: m.has_lengths != 0,
            hasInitialState: m.has_initial_state != 0)
    }
    public override var entry: OperatorEntry { Lstm.entry }

    // MARK: Kernel choice

    override var cell: ck_cell { CK_LSTM }
}
