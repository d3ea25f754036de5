import CKernels
import CModelFormat

/// y = (x − mean)·gamma / √(variance + ε) + beta per channel, channels last. ONNX: BatchNormalization for inference.
///
/// Inputs: x [..., C] of rank 2 or more; gamma, beta, mean, variance [C]. Output: y, shaped like x.
public final class BatchNorm: Operator {
    private let attributes: BatchNormAttributes

    public var epsilon: Float { attributes.epsilon }
    /// Of the moving averages in training; kept for a model that is trained further.
    public var momentum: Float { attributes.momentum }

    public init(epsilon: Float = 1e-3, momentum: Float = 0.99) {
        attributes = BatchNormAttributes(epsilon: epsilon, momentum: momentum)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("BatchNorm", APUS__NODE__OPERATOR_BATCH_NORM) { node throws(ApusError) in
        let attributes = BatchNormAttributes(wire: node.batch_norm)
        return BatchNorm(epsilon: attributes.epsilon, momentum: attributes.momentum)
    }
    public override var entry: OperatorEntry { BatchNorm.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.batch_norm = attributes.encoded(wire)
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 5...5 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try attributes.check()
        try requireChannels(inputs, "gamma", "beta", "mean", "variance")
        return [inputs[0]]
    }

    // MARK: Kernel choice

    /// The workspace holds scale, shift (unused: subtracting the mean first keeps precision) and 1 / √(variance + ε).
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape
        let params = ck_batch_norm_params(x, epsilon: epsilon)
        let scale = KernelOperand.workspace(site.vector(0))
        return KernelPlan(
            [
                try site.normalize(
                    CK_BATCH_NORM_FOLD, params,
                    [
                        .input(1), .input(2), .input(3), .input(4), scale, .workspace(site.vector(1)),
                        .workspace(site.vector(2)),
                    ]),
                try site.normalize(
                    CK_BATCH_NORM_APPLY, params, [.input(0), .input(3), scale, .input(2), .output(0)]),
            ], workspaceBytes: site.vector(3), operations: 3 * x.count)
    }

    // MARK: Gradient

    /// Of x, gamma and beta, with n = (x − mean) / √(variance + ε): dx = dy·gamma / √(variance + ε),
    /// dgamma = Σ dy·n, dbeta = Σ dy. Both dx and n are batch norms, with a zero or a one in place of a vector.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let dy = try g.dy(), gamma = g.inputs[1], beta = g.inputs[2], mean = g.inputs[3], variance = g.inputs[4]
        guard !g.wanted[3] && !g.wanted[4] else { throw .unsupported("gradient of fixed moving statistics") }
        var dx: Value?, dgamma: Value?
        if g.wanted[0] || g.wanted[1] {
            let zero = try g(.sub, mean, mean)
            if g.wanted[0] { dx = try g(BatchNorm(epsilon: epsilon), dy, gamma, zero, zero, variance) }
            if g.wanted[1] {
                let n = try g(BatchNorm(epsilon: epsilon), g.x, g(.exp, zero), zero, mean, variance)
                dgamma = try g(SumLike(), g(.mul, dy, n), gamma)
            }
        }
        return [dx, dgamma, g.wanted[2] ? try g(SumLike(), dy, beta) : nil, nil, nil]
    }
}
