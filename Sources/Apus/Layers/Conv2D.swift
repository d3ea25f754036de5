import ApusGraph

/// y = activation(x * W + b): a convolution over images [batch, height, width, channels].
///
/// Parameters: kernel [height, width, channels/groups, filters], bias [filters].
public final class Conv2D: Layer {
    public let filters: Int
    public let kernel: Size2D
    public let stride: Size2D
    public let padding: Padding
    public let dilation: Size2D
    public let groups: Int
    public let activation: Activation
    public let usesBias: Bool
    private let kernelInitializer: any Initializer
    private let biasInitializer: any Initializer
    private let kernelRegularizer: (any Regularizer)?

    public init(
        _ filters: Int, kernel: Size2D, stride: Size2D = 1, padding: Padding = .valid, dilation: Size2D = 1,
        groups: Int = 1, activation: Activation = .none, usesBias: Bool = true,
        kernelInitializer: any Initializer = GlorotUniform(), biasInitializer: any Initializer = Filled(0),
        kernelRegularizer: (any Regularizer)? = nil, name: String = ""
    ) {
        self.filters = filters
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        self.activation = activation
        self.usesBias = usesBias
        self.kernelInitializer = kernelInitializer
        self.biasInitializer = biasInitializer
        self.kernelRegularizer = kernelRegularizer
        super.init(name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try image(inputs), channels = x.shape.last
        try require(kernel)
        guard groups > 0, filters > 0, channels % groups == 0, filters % groups == 0 else {
            throw .argument("\(filters) filters over \(channels) channels in \(groups) groups")
        }
        let op = ApusGraph.Conv2D(
            strides: stride, dilations: dilation, padding: padding, groups: groups, hasBias: usesBias)
        var operands = [
            x,
            try context.parameter(
                "kernel", [kernel.height, kernel.width, channels / groups, filters], kernelInitializer,
                regularizer: kernelRegularizer),
        ]
        if usesBias { operands.append(try context.parameter("bias", [filters], biasInitializer)) }
        return [try context.activate(try context.node(op, operands)[0], activation)]
    }
}
