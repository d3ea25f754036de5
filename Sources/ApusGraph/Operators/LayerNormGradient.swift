import CKernels
import CModelFormat

/// The gradient of layer norm, with n = (x − m)·s and h = dy·gamma: dx = s·(h − mean(h) − n·mean(h·n)) in each row,
/// dgamma = Σ dy·n and dbeta = Σ dy over the rows.
///
/// Inputs: x; gamma, shaped like x's last dimensions, which make a row; m (mean), s (1 / √(variance + ε)), shaped like
/// the other dimensions; dy, shaped like x. Outputs: dx, shaped like x; dgamma, dbeta, shaped like gamma.
public final class LayerNormGradient: Operator {
    public init() {}

    // MARK: Wire

    public static let entry = OperatorEntry("LayerNormGradient", APUS__NODE__OPERATOR_LAYER_NORM_GRADIENT) {
        _ throws(ApusError) in LayerNormGradient()
    }
    public override var entry: OperatorEntry { LayerNormGradient.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 5...5 }
    public override var outputCount: Int { 3 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 4 && output == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], gamma = inputs[1]
        let statistics = try normalizedRows(x, axes: gamma.shape.rank, gamma: gamma)
        try inputs[2].require("mean", exactly: statistics)
        try inputs[3].require("inverse deviation", exactly: statistics)
        try inputs[4].require("dy", exactly: x)
        return [x, gamma, gamma]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = ck_layer_norm_params()
        params.rows = Int64(site.inputs[2].shape.count)
        params.width = Int64(site.inputs[1].shape.count)
        return KernelPlan(
            [
                try site.normalize(
                    CK_LAYER_NORM_DPARAMS, params,
                    [.input(0), .input(2), .input(3), .input(4), .output(1), .output(2)]),
                try site.normalize(
                    CK_LAYER_NORM_DX, params,
                    [.input(0), .input(1), .input(2), .input(3), .input(4), .output(0)]),
            ], operations: 14 * site.inputs[0].shape.count)
    }
}
