import ApusGraph

/// r, z = σ(x·W + b + h·R), n = tanh(x·W_n + b_n + r·(h·R_n + c)), h = (1 − z)·n + z·h, step by step; without `resetAfter`
/// n = tanh(x·W_n + b_n + (r·h)·R_n) (Cho et al. 2014). Inputs, outputs and parameters: see `Recurrent`; gates in the order
/// r, z, n.
///
/// With `resetAfter` there is the parameter recurrent_bias [units], c. Keras and PyTorch also have such a bias for r and z,
/// which is but a second summand of b.
public final class GRU: Recurrent {
    public let resetAfter: Bool

    public init(
        _ units: Int, usesBias: Bool = true, resetAfter: Bool = true, returnSequences: Bool = false,
        returnState: Bool = false, goBackwards: Bool = false, dropout: Double = 0, recurrentDropout: Double = 0,
        kernelInitializer: any Initializer = GlorotUniform(),
        recurrentInitializer: any Initializer = Orthogonal(), biasInitializer: any Initializer = Filled(0),
        kernelRegularizer: (any Regularizer)? = nil, recurrentRegularizer: (any Regularizer)? = nil, name: String = ""
    ) {
        self.resetAfter = resetAfter
        super.init(
            units, usesBias: usesBias, returnSequences: returnSequences, returnState: returnState, goBackwards: goBackwards,
            dropout: dropout, recurrentDropout: recurrentDropout,
            kernelInitializer: kernelInitializer, recurrentInitializer: recurrentInitializer,
            biasInitializer: biasInitializer, kernelRegularizer: kernelRegularizer,
            recurrentRegularizer: recurrentRegularizer, name: name)
    }

    override var gates: Int { 3 }

    override func operation(
        reverse: Bool, hasLengths: Bool, hasInitialState: Bool, keepsGates: Bool, hasStateMask: Bool
    ) -> RecurrentLayer {
        Gru(
            resetAfter: resetAfter, reverse: reverse, hasLengths: hasLengths, hasInitialState: hasInitialState,
            keepsGates: keepsGates, hasStateMask: hasStateMask)
    }

    override func extraParameters(_ prefix: String, _ context: LayerContext) throws(ApusError) -> [Value] {
        guard resetAfter else { return [] }
        guard usesBias else { return [context.constant("zeros_\(units)", try Tensor.zeros(.f32, shape: [units]))] }
        return [try context.parameter(prefix + "recurrent_bias", [units], biasInitializer)]
    }
}
