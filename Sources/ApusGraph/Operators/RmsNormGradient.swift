import CKernels
import CModelFormat

/// The gradient of RMS norm, with n = x·s and h = dy·gamma: dx = s·(h − n·mean(h·n)) in each row, dgamma = Σ dy·n over the rows.
///
/// Inputs: x; gamma, shaped like x's last dimensions, which make a row; s (1 / √(mean square + ε)), shaped like the other
/// dimensions; dy, shaped like x. Outputs: dx, shaped like x; dgamma.
public final class RmsNormGradient: Operator {
    public init() {}

    // MARK: Wire

    public static let entry = OperatorEntry("RmsNormGradient", APUS__NODE__OPERATOR_RMS_NORM_GRADIENT) {
        _ throws(ApusError) in RmsNormGradient()
    }
    public override var entry: OperatorEntry { RmsNormGradient.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 4...4 }
    public override var outputCount: Int { 2 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 3 && output == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], gamma = inputs[1]
        let statistics = try normalizedRows(x, axes: gamma.shape.rank, gamma: gamma)
        try inputs[2].require("inverse root mean square", exactly: statistics)
        try inputs[3].require("dy", exactly: x)
        return [x, gamma]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = ck_layer_norm_params()
        params.rows = Int64(site.inputs[2].shape.count)
        params.width = Int64(site.inputs[1].shape.count)
        return KernelPlan(
            [
                try site.normalize(CK_RMS_NORM_DPARAMS, params, [.input(0), .input(2), .input(3), .output(1)]),
                try site.normalize(CK_RMS_NORM_DX, params, [.input(0), .input(1), .input(2), .input(3), .output(0)]),
            ], operations: 10 * site.inputs[0].shape.count)
    }
}
