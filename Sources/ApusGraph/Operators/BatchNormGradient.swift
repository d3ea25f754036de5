import CKernels
import CModelFormat

/// The gradient of batch norm by the batch's own statistics, with n = (x − m)·s over the P rows of a channel:
/// dbeta = Σ dy, dgamma = Σ dy·n, dx = gamma·s·(dy − dbeta / P − n·dgamma / P).
///
/// Inputs: x [..., C]; gamma, m (the batch's mean), s (its 1 / √(variance + ε)) [C]; dy, shaped like x; and, where a ReLU
/// follows, its result y, shaped like x: dy counts as 0 where y is not above 0.
/// Outputs: dx, shaped like x; dgamma, dbeta [C].
public final class BatchNormGradient: Operator {
    public init() {}

    // MARK: Wire

    public static let entry = OperatorEntry("BatchNormGradient", APUS__NODE__OPERATOR_BATCH_NORM_GRADIENT) {
        _ throws(ApusError) in BatchNormGradient()
    }
    public override var entry: OperatorEntry { BatchNormGradient.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 5...6 }
    public override var outputCount: Int { 3 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 4 && output == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try requireChannels(inputs, "gamma", "mean", "inverse deviation")
        let x = inputs[0], gamma = inputs[1]
        try inputs[4].require("dy", exactly: x)
        if inputs.count > 5 { try inputs[5].require("y", exactly: x) }
        guard x.shape.count > 0 else { throw .shape("x \(x) without elements has no statistics") }
        return [x, gamma, gamma]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape
        var params = ck_batch_norm_params(x)
        let y: [KernelOperand] = site.inputs.count > 5 ? [.input(5)] : []
        params.has_y = Int32(y.count)
        let sums = KernelOperand.workspace(0)
        return KernelPlan(
            [
                try site.normalize(CK_BATCH_NORM_SUMS, params, [.input(0), .input(2), .input(4)] + y + [sums]),
                try site.normalize(CK_BATCH_NORM_DPARAMS, params, [sums, .input(3), .output(1), .output(2)]),
                try site.normalize(
                    CK_BATCH_NORM_DX, params,
                    [.input(0), .input(1), .input(2), .input(3), .input(4)] + y + [.output(1), .output(2), .output(0)]),
            ], workspaceBytes: site.batchNormSums(params), operations: 12 * x.count)
    }
}
