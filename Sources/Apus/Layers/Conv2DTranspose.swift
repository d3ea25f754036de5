import ApusGraph

/// A convolution run backwards: it enlarges images [batch, height, width, channels] by its stride.
///
/// With padding `.same` the result is height·stride × width·stride; with `.valid`, (height − 1)·stride + the larger of
/// kernel and stride. Parameters: kernel [height, width, filters, channels], bias [filters].
public final class Conv2DTranspose: ConvolutionLayer {
    public let filters: Int
    public let kernel: Size2D
    public let stride: Size2D
    public let padding: Padding

    public init(
        _ filters: Int, kernel: Size2D, stride: Size2D = 1, padding: Padding = .valid,
        activation: Activation = .none, usesBias: Bool = true,
        kernelInitializer: any Initializer = GlorotUniform(), biasInitializer: any Initializer = Filled(0),
        kernelRegularizer: (any Regularizer)? = nil, name: String = ""
    ) {
        self.filters = filters
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        super.init(
            activation: activation, usesBias: usesBias, kernelInitializer: kernelInitializer,
            biasInitializer: biasInitializer, kernelRegularizer: kernelRegularizer, name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try image(inputs), channels = x.shape.last
        try require(kernel)
        try require(filters, "filters")
        try require(min(stride.height, stride.width), "pixels of stride")
        try require(max(stride.height, stride.width), "pixels of stride")
        let rest = Size2D(max(0, stride.height - kernel.height), max(0, stride.width - kernel.width))
        let op = ApusGraph.Conv2DTranspose(
            strides: stride, padding: padding, outputPadding: padding == .valid ? rest : 0, hasBias: usesBias)
        return [
            try convolve(x, op, kernel: [kernel.height, kernel.width, filters, channels], filters: filters, context)
        ]
    }
}
