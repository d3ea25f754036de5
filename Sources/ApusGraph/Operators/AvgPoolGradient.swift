import CKernels
import CModelFormat

/// dx = each dy, divided as AvgPool divides, at every element of its window; windows that meet add up.
///
/// Inputs: dy [N, OH, OW, C]; x [N, H, W, C], whose values are not read. Output: dx, shaped like x.
public final class AvgPoolGradient: Pooling {
    /// The strides are the kernel's size unless given.
    public init(
        kernel: Size2D, strides: Size2D? = nil, padding: Padding = .valid, countsPadding: Bool = false
    ) {
        super.init(
            kernel: kernel, strides: strides, padding: padding, countsPadding: countsPadding, inputsRead: 1)
    }

    // MARK: Wire

    public static let entry = Pooling.entry("AvgPoolGradient", APUS__NODE__OPERATOR_AVG_POOL_GRADIENT) {
        AvgPoolGradient(kernel: $0, strides: $1, padding: $2, countsPadding: $3)
    }
    public override var entry: OperatorEntry { AvgPoolGradient.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try inputs[0].require("dy", exactly: try pooled(inputs[1]))
        return [inputs[1]]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = try self.params(site.outputs[0].shape)
        let launch = try Launch(
            ck_avg_pool_gradient(&params, site.dtype, site.isa), params, units: ck_avg_pool_gradient_units(&params),
            [.input(0), .output(0)])
        return KernelPlan([launch], operations: operations(y: site.inputs[0].shape))
    }
}
