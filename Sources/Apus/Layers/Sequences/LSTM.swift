import ApusGraph

/// i, f, o = σ(x·W + b + h·R), g = tanh(x·W_g + b_g + h·R_g), c = f·c + i·g, h = o·tanh(c), step by step (Hochreiter and
/// Schmidhuber 1997; Gers et al. 2000). Inputs, outputs and parameters: see `Recurrent`; gates in the order i, f, g, o.
public final class LSTM: Recurrent {
    /// - Parameter unitForgetBias: the bias of f starts 1 higher (Jozefowicz et al. 2015).
    public init(
        _ units: Int, usesBias: Bool = true, unitForgetBias: Bool = true, returnSequences: Bool = false,
        returnState: Bool = false, goBackwards: Bool = false, dropout: Double = 0, recurrentDropout: Double = 0,
        kernelInitializer: any Initializer = GlorotUniform(),
        recurrentInitializer: any Initializer = Orthogonal(), biasInitializer: any Initializer = Filled(0),
        kernelRegularizer: (any Regularizer)? = nil, recurrentRegularizer: (any Regularizer)? = nil, name: String = ""
    ) {
        super.init(
            units, usesBias: usesBias, returnSequences: returnSequences, returnState: returnState, goBackwards: goBackwards,
            dropout: dropout, recurrentDropout: recurrentDropout,
            kernelInitializer: kernelInitializer, recurrentInitializer: recurrentInitializer,
            biasInitializer: unitForgetBias ? ForgetBias(biasInitializer) : biasInitializer,
            kernelRegularizer: kernelRegularizer, recurrentRegularizer: recurrentRegularizer, name: name)
    }

    override var gates: Int { 4 }
    override var stateNames: [String] { ["h", "c"] }

    override func operation(
        reverse: Bool, hasLengths: Bool, hasInitialState: Bool, keepsGates: Bool, hasStateMask: Bool
    ) -> RecurrentLayer {
        Lstm(
            reverse: reverse, hasLengths: hasLengths, hasInitialState: hasInitialState, keepsGates: keepsGates,
            hasStateMask: hasStateMask)
    }
}

/// Another initializer's values, those of the second of four gates 1 higher.
private struct ForgetBias: Initializer {
    let initializer: any Initializer

    init(_ initializer: any Initializer) { self.initializer = initializer }

    func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        var values = try initializer.tensor(shape, &random).array(of: Float.self)
        let units = values.count / 4
        for i in units..<2 * units { values[i] += 1 }
        return try Tensor(values, shape: shape)
    }
}
