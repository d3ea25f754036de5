import CKernels
import CModelFormat

/// dx = each dy at the first element of its window that is y, the greatest; windows that meet add up.
///
/// Inputs: x [N, H, W, C]; y = MaxPool(x); dy, shaped like y. Output: dx, shaped like x.
public final class MaxPoolGradient: Pooling {
    /// The strides are the kernel's size unless given.
    public init(kernel: Size2D, strides: Size2D? = nil, padding: Padding = .valid) {
        super.init(kernel: kernel, strides: strides, padding: padding, countsPadding: false)
    }

    // MARK: Wire

    public static let entry = Pooling.entry("MaxPoolGradient", APUS__NODE__OPERATOR_MAX_POOL_GRADIENT) {
        kernel, strides, padding, _ in MaxPoolGradient(kernel: kernel, strides: strides, padding: padding)
    }
    public override var entry: OperatorEntry { MaxPoolGradient.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 3...3 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let y = try pooled(inputs[0])
        try inputs[1].require("y", exactly: y)
        try inputs[2].require("dy", exactly: y)
        return [inputs[0]]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = try self.params(site.inputs[0].shape)
        return try KernelPlan(
            ck_max_pool_gradient(&params, site.dtype, site.isa), params, units: ck_max_pool_gradient_units(&params),
            at: site, operations: operations(y: site.inputs[1].shape))
    }
}
