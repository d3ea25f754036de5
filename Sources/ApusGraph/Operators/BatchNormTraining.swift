import CKernels
import CModelFormat

/// Batch norm by the batch's own statistics, per channel, channels last:
/// m = mean(x), v = mean((x − m)²), s = 1 / √(v + ε), y = (x − m)·s·gamma + beta,
/// and moving ← momentum·moving + (1 − momentum)·batch for mean and (biased) variance, as Keras does.
///
/// Inputs: x [..., C] of rank 2 or more; gamma, beta, moving mean, moving variance [C].
/// Outputs: y, shaped like x; new moving mean, new moving variance, m, s [C].
public final class BatchNormTraining: Operator {
    private let attributes: BatchNormAttributes

    public var epsilon: Float { attributes.epsilon }
    public var momentum: Float { attributes.momentum }

    public init(epsilon: Float = 1e-3, momentum: Float = 0.99) {
        attributes = BatchNormAttributes(epsilon: epsilon, momentum: momentum)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("BatchNormTraining", APUS__NODE__OPERATOR_BATCH_NORM_TRAINING) {
        node throws(ApusError) in
        let attributes = BatchNormAttributes(wire: node.batch_norm_training)
        return BatchNormTraining(epsilon: attributes.epsilon, momentum: attributes.momentum)
    }
    public override var entry: OperatorEntry { BatchNormTraining.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.batch_norm_training = attributes.encoded(wire)
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 5...5 }
    public override var outputCount: Int { 5 }

    /// y over x; the new moving statistics over the old ones.
    public override func mayOverwrite(input: Int, output: Int) -> Bool {
        switch (input, output) {
        case (0, 0), (3, 1), (4, 2): true
        default: false
        }
    }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try attributes.check()
        try requireChannels(inputs, "gamma", "beta", "moving mean", "moving variance")
        let x = inputs[0]
        guard x.shape.count > 0 else { throw .shape("x \(x) without elements has no statistics") }
        return [x] + [TensorType](repeating: inputs[1], count: 4)
    }

    // MARK: Kernel choice

    /// The workspace holds the variance, the scale, and a shift that is not used.
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape
        let params = ck_batch_norm_params(x, epsilon: epsilon)
        var average = ck_moving_average_params()
        average.count = params.channels
        average.momentum = Double(momentum)
        average.scale = 1
        let mean = KernelOperand.output(3), inverse = KernelOperand.output(4)
        let variance = KernelOperand.workspace(site.vector(0)), scale = KernelOperand.workspace(site.vector(1))
        let shift = KernelOperand.workspace(site.vector(2))
        return KernelPlan(
            [
                try site.normalize(CK_BATCH_NORM_MOMENTS, params, [.input(0), mean, variance]),
                try site.normalize(
                    CK_BATCH_NORM_FOLD, params, [.input(1), .input(2), mean, variance, scale, shift, inverse]),
                try site.normalize(CK_BATCH_NORM_APPLY, params, [.input(0), mean, scale, .input(2), .output(0)]),
                try site.normalize(CK_MOVING_AVERAGE, average, [.input(3), mean, .output(1)]),
                try site.normalize(CK_MOVING_AVERAGE, average, [.input(4), variance, .output(2)]),
            ], workspaceBytes: site.vector(3), operations: 8 * x.count)
    }

    // MARK: Gradient

    /// From y alone, through the statistics of the batch.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let gradients = try g.builder.node(
            BatchNormGradient(), [g.x, g.inputs[1], g.outputs[3], g.outputs[4], try g.dy()])
        return [gradients[0], gradients[1], gradients[2], nil, nil]
    }
}
