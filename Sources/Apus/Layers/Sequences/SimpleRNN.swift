import ApusGraph

/// h = activation(x·W + b + h·R), step by step (Elman 1990). Inputs, outputs and parameters: see `Recurrent`.
public final class SimpleRNN: Recurrent {
    public let activation: Activation

    public init(
        _ units: Int, activation: Activation = .tanh, usesBias: Bool = true, returnSequences: Bool = false,
        returnState: Bool = false, goBackwards: Bool = false, dropout: Double = 0, recurrentDropout: Double = 0,
        kernelInitializer: any Initializer = GlorotUniform(),
        recurrentInitializer: any Initializer = Orthogonal(), biasInitializer: any Initializer = Filled(0),
        kernelRegularizer: (any Regularizer)? = nil, recurrentRegularizer: (any Regularizer)? = nil, name: String = ""
    ) {
        self.activation = activation
        super.init(
            units, usesBias: usesBias, returnSequences: returnSequences, returnState: returnState, goBackwards: goBackwards,
            dropout: dropout, recurrentDropout: recurrentDropout,
            kernelInitializer: kernelInitializer, recurrentInitializer: recurrentInitializer,
            biasInitializer: biasInitializer, kernelRegularizer: kernelRegularizer,
            recurrentRegularizer: recurrentRegularizer, name: name)
    }

    override func operation(
        reverse: Bool, hasLengths: Bool, hasInitialState: Bool, keepsGates: Bool, hasStateMask: Bool
    ) -> RecurrentLayer {
        Rnn(
            activation: activation, reverse: reverse, hasLengths: hasLengths, hasInitialState: hasInitialState,
            keepsGates: keepsGates, hasStateMask: hasStateMask)
    }
}
