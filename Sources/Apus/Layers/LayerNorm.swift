import ApusGraph

/// Each sample to mean 0 and variance 1 over its last `axes` axes, then times gamma plus beta (Ba, Kiros, Hinton 2016).
///
/// Parameters: gamma, beta, shaped like those axes.
public final class LayerNorm: Layer {
    public let axes: Int
    public let epsilon: Double
    private let gammaInitializer: any Initializer
    private let betaInitializer: any Initializer

    public init(
        axes: Int = 1, epsilon: Double = 1e-3, gammaInitializer: any Initializer = Filled(1),
        betaInitializer: any Initializer = Filled(0), name: String = ""
    ) {
        self.axes = axes
        self.epsilon = epsilon
        self.gammaInitializer = gammaInitializer
        self.betaInitializer = betaInitializer
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { axes == 1 }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try onlyInput(inputs)
        guard axes >= 1 && axes < x.shape.rank else {
            throw .argument("\(axes) axes of \(x.type), wanted 1 ..< \(x.shape.rank)")
        }
        let shape = Array(x.shape.dimensions.suffix(axes))
        let gamma = try context.parameter("gamma", shape, gammaInitializer)
        let beta = try context.parameter("beta", shape, betaInitializer)
        return [try context.node(ApusGraph.LayerNorm(axes: axes, epsilon: Float(epsilon)), [x, gamma, beta])[0]]
    }
}
