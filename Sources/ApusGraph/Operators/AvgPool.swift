import CKernels
import CModelFormat

/// y = the sum of each window of x, divided by the number of its elements inside x or, if `countsPadding`, by the size
/// of the kernel. ONNX: AveragePool with count_include_pad.
///
/// Input: x [N, H, W, C], f32 or f64. Output: y [N, OH, OW, C].
public final class AvgPool: Pooling {
    /// The strides are the kernel's size unless given.
    public init(
        kernel: Size2D, strides: Size2D? = nil, padding: Padding = .valid, countsPadding: Bool = false
    ) {
        super.init(kernel: kernel, strides: strides, padding: padding, countsPadding: countsPadding)
    }

    // MARK: Wire

    public static let entry = Pooling.entry("AvgPool", APUS__NODE__OPERATOR_AVG_POOL) {
        AvgPool(kernel: $0, strides: $1, padding: $2, countsPadding: $3)
    }
    public override var entry: OperatorEntry { AvgPool.entry }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        [try pooled(inputs[0])]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = try self.params(site.inputs[0].shape)
        return try KernelPlan(
            ck_avg_pool(&params, site.dtype, site.isa), params, units: ck_pool_units(&params), at: site,
            operations: operations(y: site.outputs[0].shape))
    }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let op = AvgPoolGradient(kernel: kernel, strides: strides, padding: padding, countsPadding: countsPadding)
        return [try g(op, try g.dy(), g.x)]
    }
}
