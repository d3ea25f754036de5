import CKernels
import CModelFormat

/// dx = each dy at the tap of its window that index names; windows that meet add up: the gradient of MaxPoolIndex.
///
/// Inputs: index [N, OH, OW, C], u8; dy, of its shape; x [N, H, W, C], whose values are not read. Output: dx, shaped like x.
public final class MaxPoolIndexGradient: Pooling {
    /// The strides are the kernel's size unless given.
    public init(kernel: Size2D, strides: Size2D? = nil, padding: Padding = .valid) {
        super.init(kernel: kernel, strides: strides, padding: padding, countsPadding: false, inputsRead: 2)
    }

    // MARK: Wire

    public static let entry = Pooling.entry("MaxPoolIndexGradient", APUS__NODE__OPERATOR_MAX_POOL_INDEX_GRADIENT) {
        kernel, strides, padding, _ in MaxPoolIndexGradient(kernel: kernel, strides: strides, padding: padding)
    }
    public override var entry: OperatorEntry { MaxPoolIndexGradient.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 3...3 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let y = try pooled(inputs[2])
        try inputs[0].require("index", exactly: try indices(y))
        try inputs[1].require("dy", exactly: y)
        return [inputs[2]]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = try self.params(site.outputs[0].shape)
        let launch = try Launch(
            ck_max_pool_index_gradient(&params, site.inputs[1].dtype.ck, site.isa), params,
            units: ck_max_pool_gradient_units(&params), [.input(0), .input(1), .output(0)])
        return KernelPlan([launch], operations: operations(y: site.inputs[1].shape))
    }
}
