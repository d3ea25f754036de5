import ApusGraph

/// y = activation(x * W + b): a convolution over images [batch, height, width, channels].
///
/// Parameters: kernel [height, width, channels/groups, filters], bias [filters].
public final class Conv2D: ConvolutionLayer {
    public let filters: Int
    public let kernel: Size2D
    public let stride: Size2D
    public let padding: Padding
    public let dilation: Size2D
    public let groups: Int

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
        super.init(
            activation: activation, usesBias: usesBias, kernelInitializer: kernelInitializer,
            biasInitializer: biasInitializer, kernelRegularizer: kernelRegularizer, name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try image(inputs), channels = x.shape.last
        try require(kernel)
        try require(filters: filters, over: channels, groups: groups)
        let op = ApusGraph.Conv2D(
            strides: stride, dilations: dilation, padding: padding, groups: groups, hasBias: usesBias)
        return [
            try convolve(
                x, op, kernel: [kernel.height, kernel.width, channels / groups, filters], filters: filters, context)
        ]
    }
}
