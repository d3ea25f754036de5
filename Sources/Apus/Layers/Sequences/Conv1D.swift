import ApusGraph

/// What surrounds a sequence in time.
public enum Padding1D: Sendable, Equatable {
    case valid
    /// As much as makes the output ⌈time / stride⌉ long; the odd step at the end.
    case same
    /// (kernel − 1)·dilation steps before the first: no output depends on later inputs.
    case causal
}

/// y = activation(x * W + b): a convolution over sequences [batch, time, channels].
///
/// Parameters: kernel [1, kernel, channels/groups, filters], Keras' with a height; bias [filters]. With causal padding and a
/// stride of 1 it runs step by step, and remembers the last (kernel − 1)·dilation inputs.
public final class Conv1D: ConvolutionLayer {
    public let filters: Int
    public let kernel: Int
    public let stride: Int
    public let padding: Padding1D
    public let dilation: Int
    public let groups: Int

    public init(
        _ filters: Int, kernel: Int, stride: Int = 1, padding: Padding1D = .valid, dilation: Int = 1, groups: Int = 1,
        activation: Activation = .none, usesBias: Bool = true, kernelInitializer: any Initializer = GlorotUniform(),
        biasInitializer: any Initializer = Filled(0), kernelRegularizer: (any Regularizer)? = nil, name: String = ""
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

    public override var runsStepByStep: Bool { stride == 1 && (padding == .causal || kernel == 1) }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        var x = try sequence(inputs)
        let channels = x.shape.last
        guard kernel > 0, dilation > 0, kernel <= Int(Int32.max), dilation <= Int(Int32.max) else {
            throw .argument("a kernel of \(kernel) with dilation \(dilation), wanted 1 ... \(Int32.max)")
        }
        try require(filters: filters, over: channels, groups: groups)
        let past = (kernel - 1) * dilation
        var padding = padding == .same ? Padding.same : .valid
        if self.padding == .causal, past > 0 {
            if context.phase == .step {
                let memory = try context.memory("past", [1, past, channels])
                x = try context(ApusGraph.Concat(axis: 1), memory, x)
                let last = Slice(axes: [1], starts: [x.shape[1] - past], ends: [x.shape[1]])
                try context.remember("past", try context(last, x))
            } else {
                padding = .explicit(top: 0, left: past, bottom: 0, right: 0)
            }
        }
        let op = ApusGraph.Conv2D(
            strides: Size2D(1, stride), dilations: Size2D(1, dilation), padding: padding, groups: groups, hasBias: usesBias)
        let shape = [1, kernel, channels / groups, filters]
        return [
            try asImage(x, context) { image throws(ApusError) in
                try convolve(image, op, kernel: shape, filters: filters, context)
            }
        ]
    }
}
