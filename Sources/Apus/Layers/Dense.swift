import ApusGraph

/// y = activation(x·W + b) over the last axis. Weights: kernel [in, units], bias [units]. Softmax is a
/// layer of its own, `Softmax`.
public final class Dense: Layer {
    public let units: Int
    public let activation: Activation
    public let usesBias: Bool
    private let kernelInitializer: any Initializer
    private let biasInitializer: any Initializer
    private let kernelRegularizer: (any Regularizer)?

    public init(
        _ units: Int, activation: Activation = .none, usesBias: Bool = true,
        kernelInitializer: any Initializer = GlorotUniform(), biasInitializer: any Initializer = Filled(0),
        kernelRegularizer: (any Regularizer)? = nil, name: String = ""
    ) {
        self.units = units
        self.activation = activation
        self.usesBias = usesBias
        self.kernelInitializer = kernelInitializer
        self.biasInitializer = biasInitializer
        self.kernelRegularizer = kernelRegularizer
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { true }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try onlyInput(inputs)
        guard x.shape.rank >= 2 else { throw .shape("x \(x.type), wanted [batch, …, channels]") }
        try require(units, "units")
        let kernel = try context.parameter(
            "kernel", [x.shape.last, units], kernelInitializer, regularizer: kernelRegularizer)
        let z: Value
        if usesBias {
            z = try context(ApusGraph.Dense(), x, kernel, try context.parameter("bias", [units], biasInitializer))
        } else {
            z = try context(ApusGraph.Dense(hasBias: false), x, kernel)
        }
        return [try context.activate(z, activation)]
    }
}
