import ApusGraph

/// A convolution of every channel by itself, with `multiplier` kernels each: output channel c·multiplier + m is channel
/// c's with its kernel m.
///
/// Parameters: kernel [height, width, 1, channels·multiplier], bias [channels·multiplier].
public final class DepthwiseConv2D: Layer {
    public let kernel: Size2D
    public let stride: Size2D
    public let padding: Padding
    public let dilation: Size2D
    public let multiplier: Int
    public let activation: Activation
    public let usesBias: Bool
    private let kernelInitializer: any Initializer
    private let biasInitializer: any Initializer
    private let kernelRegularizer: (any Regularizer)?

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
        self.activation = activation
        self.usesBias = usesBias
        self.kernelInitializer = kernelInitializer
        self.biasInitializer = biasInitializer
        self.kernelRegularizer = kernelRegularizer
        super.init(name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try image(inputs), channels = x.shape.last, filters = channels * multiplier
        try require(kernel)
        guard multiplier > 0 else { throw .argument("a multiplier of \(multiplier), wanted 1 or more") }
        let op = ApusGraph.Conv2D(
            strides: stride, dilations: dilation, padding: padding, groups: channels, hasBias: usesBias)
        // Keras' shape of the same elements, which decides the fans.
        let initializer = InShape(
            initializer: kernelInitializer, shape: [kernel.height, kernel.width, channels, multiplier])
        var operands = [
            x,
            try context.parameter(
                "kernel", [kernel.height, kernel.width, 1, filters], initializer, regularizer: kernelRegularizer),
        ]
        if usesBias { operands.append(try context.parameter("bias", [filters], biasInitializer)) }
        return [try context.activate(try context.node(op, operands)[0], activation)]
    }
}
