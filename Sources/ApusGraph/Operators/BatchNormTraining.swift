import CKernels
import CModelFormat

/// Batch norm by the batch's own statistics, per channel, channels last:
/// m = mean(x), v = mean((x − m)²), s = 1 / √(v + ε), y = act((x − m)·s·gamma + beta + r),
/// and moving ← momentum·moving + (1 − momentum)·batch for mean and (biased) variance, as Keras does.
///
/// Inputs: x [..., C] of rank 2 or more; gamma, beta, moving mean, moving variance [C]; r, shaped like x, if `hasResidual`.
/// The activation is none or ReLU. Outputs: y, shaped like x; new moving mean, new moving variance, m, s [C].
public final class BatchNormTraining: Operator {
    private let attributes: BatchNormAttributes
    public let hasResidual: Bool
    public let activation: Activation

    public var epsilon: Float { attributes.epsilon }
    public var momentum: Float { attributes.momentum }

    public init(
        epsilon: Float = 1e-3, momentum: Float = 0.99, hasResidual: Bool = false, activation: Activation = .none
    ) {
        attributes = BatchNormAttributes(epsilon: epsilon, momentum: momentum)
        self.hasResidual = hasResidual
        self.activation = activation
    }

    // MARK: Wire

    public static let entry = OperatorEntry("BatchNormTraining", APUS__NODE__OPERATOR_BATCH_NORM_TRAINING) {
        node throws(ApusError) in
        let m = node.batch_norm_training.pointee
        return BatchNormTraining(
            epsilon: m.epsilon, momentum: m.momentum, hasResidual: m.has_residual != 0,
            activation: try Activation(wire: m.activation))
    }
    public override var entry: OperatorEntry { BatchNormTraining.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.batch_norm_training = attributes.encoded(wire)
        node.batch_norm_training.pointee.has_residual = hasResidual ? 1 : 0
        node.batch_norm_training.pointee.activation = activation.encoded(wire)
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { hasResidual ? 6...6 : 5...5 }
    public override var outputCount: Int { 5 }

    /// y over x or r; the new moving statistics over the old ones.
    public override func mayOverwrite(input: Int, output: Int) -> Bool {
        switch (input, output) {
        case (0, 0), (5, 0), (3, 1), (4, 2): true
        default: false
        }
    }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try attributes.check()
        try requireChannels(inputs, "gamma", "beta", "moving mean", "moving variance")
        let x = inputs[0]
        guard x.shape.count > 0 else { throw .shape("x \(x) without elements has no statistics") }
        guard activation == .none || activation == .relu else {
            throw .shape("activation \(activation.name), wanted none or \(Activation.relu.name)")
        }
        if hasResidual { try inputs[5].require("residual", exactly: x) }
        return [x] + [TensorType](repeating: inputs[1], count: 4)
    }

    // MARK: Kernel choice

    /// The workspace holds the variance, the scale, a shift that is not used, and the sums of chunks.
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape
        var params = ck_batch_norm_params(x, epsilon: epsilon)
        params.has_residual = hasResidual ? 1 : 0
        params.activation = activation.params
        var average = ck_moving_average_params()
        average.count = params.channels
        average.momentum = Double(momentum)
        average.scale = 1
        let mean = KernelOperand.output(3), inverse = KernelOperand.output(4)
        let variance = KernelOperand.workspace(site.vector(0)), scale = KernelOperand.workspace(site.vector(1))
        let shift = KernelOperand.workspace(site.vector(2)), sums = KernelOperand.workspace(site.vector(3))
        let residual: [KernelOperand] = hasResidual ? [.input(5)] : []
        return KernelPlan(
            [
                try site.normalize(CK_BATCH_NORM_MOMENTS, params, [.input(0), sums]),
                try site.normalize(CK_BATCH_NORM_JOIN, params, [sums, mean, variance]),
                try site.normalize(
                    CK_BATCH_NORM_FOLD, params, [.input(1), .input(2), mean, variance, scale, shift, inverse]),
                try site.normalize(
                    CK_BATCH_NORM_APPLY, params, [.input(0), mean, scale, .input(2)] + residual + [.output(0)]),
                try site.normalize(CK_MOVING_AVERAGE, average, [.input(3), mean, .output(1)]),
                try site.normalize(CK_MOVING_AVERAGE, average, [.input(4), variance, .output(2)]),
            ], workspaceBytes: site.vector(3) + site.batchNormSums(params), operations: 8 * x.count)
    }

    // MARK: Gradient

    /// From y alone, through the statistics of the batch; dr = dy where y is above 0.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        var dy = try g.dy()
        var operands = [g.x, g.inputs[1], g.outputs[3], g.outputs[4]]
        if activation == .none || hasResidual {
            if activation != .none { dy = try g(ActivationGradient(activation), g.y, dy) }
            operands.append(dy)
        } else {
            operands += [dy, g.y]
        }
        let gradients = try g.builder.node(BatchNormGradient(), operands)
        return [gradients[0], gradients[1], gradients[2], nil, nil] + (hasResidual ? [dy] : [])
    }
}
