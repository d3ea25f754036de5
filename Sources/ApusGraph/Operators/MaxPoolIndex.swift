import CKernels
import CModelFormat

/// The greatest x of each window, and which of its taps that is: max pooling in training, whose gradient then needs no x.
///
/// Input: x [N, H, W, C], f32 or f64. Outputs: y [N, OH, OW, C], as of MaxPool; index, shaped like y, u8: the number
/// ky·kw + kx of the first tap that is y, or of the first NaN. The kernel has at most 256 taps.
public final class MaxPoolIndex: Pooling {
    /// The strides are the kernel's size unless given.
    public init(kernel: Size2D, strides: Size2D? = nil, padding: Padding = .valid) {
        super.init(kernel: kernel, strides: strides, padding: padding, countsPadding: false)
    }

    // MARK: Wire

    public static let entry = Pooling.entry("MaxPoolIndex", APUS__NODE__OPERATOR_MAX_POOL_INDEX) {
        kernel, strides, padding, _ in MaxPoolIndex(kernel: kernel, strides: strides, padding: padding)
    }
    public override var entry: OperatorEntry { MaxPoolIndex.entry }

    // MARK: Shape rule

    public override var outputCount: Int { 2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let y = try pooled(inputs[0])
        return [y, try indices(y)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = try self.params(site.inputs[0].shape)
        return try KernelPlan(
            ck_max_pool_index(&params, site.dtype, site.isa), params, units: ck_pool_units(&params), at: site,
            operations: operations(y: site.outputs[0].shape))
    }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(MaxPoolIndexGradient(kernel: kernel, strides: strides, padding: padding), g.outputs[1], try g.dy(), g.x)]
    }
}
