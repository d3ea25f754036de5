import ApusGraph

/// A convolution of every channel by itself, with `multiplier` kernels each: output channel c·multiplier + m is channel
/// c's with its kernel m.
///
/// Parameters: kernel [height, width, 1, channels·multiplier], bias [channels·multiplier].
public final class DepthwiseConv2D: ConvolutionLayer {
    public let kernel: Size2D
    public let stride: Size2D
    public let padding: Padding
    public let dilation: Size2D
    public let multiplier: Int

    public init(
        kernel: Size2D, stride: Size2D = 1, padding: Padding = .valid, dilation: Size2D = 1, multiplier: Int = 1,
        activation: Activation = .none, usesBias: Bool = true,
        kernelInitializer: any Initializer = GlorotUniform(), biasInitializer: any Initializer = Filled(0),
        kernelRegularizer: (any Regularizer)? = nil, name: String = ""
    ) {
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.multiplier = multiplier
        super.init(
            activation: activation, usesBias: usesBias, kernelInitializer: kernelInitializer,
            biasInitializer: biasInitializer, kernelRegularizer: kernelRegularizer, name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try image(inputs), channels = x.shape.last
        try require(kernel)
        try require(multiplier, "filters a channel")
        let filters = channels * multiplier
        let op = ApusGraph.Conv2D(
            strides: stride, dilations: dilation, padding: padding, groups: channels, hasBias: usesBias)
        // Keras' shape of the kernel decides the fans.
        return [
            try convolve(
                x, op, kernel: [kernel.height, kernel.width, 1, filters],
                fans: [kernel.height, kernel.width, channels, multiplier], filters: filters, context)
        ]
    }
}
