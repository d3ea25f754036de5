import ApusGraph

/// Each sample to mean square 1 over its last `axes` axes, then times gamma (Zhang and Sennrich 2019).
///
/// Parameter: gamma, shaped like those axes.
public final class RMSNorm: Layer {
    public let axes: Int
    public let epsilon: Double
    private let gammaInitializer: any Initializer

    public init(axes: Int = 1, epsilon: Double = 1e-6, gammaInitializer: any Initializer = Filled(1), name: String = "") {
        self.axes = axes
        self.epsilon = epsilon
        self.gammaInitializer = gammaInitializer
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { axes == 1 }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try onlyInput(inputs)
        guard axes >= 1 && axes < x.shape.rank else {
            throw .argument("\(axes) axes of \(x.type), wanted 1 ..< \(x.shape.rank)")
        }
        let gamma = try context.parameter("gamma", Array(x.shape.dimensions.suffix(axes)), gammaInitializer)
        return [try context.node(RmsNorm(axes: axes, epsilon: Float(epsilon)), [x, gamma])[0]]
    }
}
