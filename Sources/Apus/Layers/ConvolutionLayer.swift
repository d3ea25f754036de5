import ApusGraph

/// What convolutions have in common: y = activation(x * W + b), with parameters kernel and bias [filters].
public class ConvolutionLayer: Layer {
    public let activation: Activation
    public let usesBias: Bool
    private let kernelInitializer: any Initializer
    private let biasInitializer: any Initializer
    private let kernelRegularizer: (any Regularizer)?

    init(
        activation: Activation, usesBias: Bool, kernelInitializer: any Initializer, biasInitializer: any Initializer,
        kernelRegularizer: (any Regularizer)?, name: String
    ) {
        self.activation = activation
        self.usesBias = usesBias
        self.kernelInitializer = kernelInitializer
        self.biasInitializer = biasInitializer
        self.kernelRegularizer = kernelRegularizer
        super.init(name: name)
    }

    /// x under `op`, whose kernel has a shape; `fans` is another shape of the same elements that the initializer reads.
    final func convolve(
        _ x: Value, _ op: Operator, kernel shape: [Int], fans: [Int]? = nil, filters: Int, _ context: LayerContext
    ) throws(ApusError) -> Value {
        let initializer = fans.map { InShape(initializer: kernelInitializer, shape: $0) } ?? kernelInitializer
        var operands = [x, try context.parameter("kernel", shape, initializer, regularizer: kernelRegularizer)]
        if usesBias { operands.append(try context.parameter("bias", [filters], biasInitializer)) }
        return try context.activate(try context.node(op, operands)[0], activation)
    }

    final func require(filters: Int, over channels: Int, groups: Int) throws(ApusError) {
        try require(filters, "filters")
        guard groups > 0, channels % groups == 0, filters % groups == 0 else {
            throw .argument("\(filters) filters over \(channels) channels in \(groups) groups")
        }
    }
}
