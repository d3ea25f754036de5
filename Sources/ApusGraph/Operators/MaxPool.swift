import CKernels
import CModelFormat

/// y = the greatest x of each window, NaN if one is NaN; padding is left out. ONNX: MaxPool.
///
/// Input: x [N, H, W, C], f32, f64 or i8, codes of any quantization among them. Output: y [N, OH, OW, C].
public final class MaxPool: Pooling {
    /// The strides are the kernel's size unless given.
    public init(kernel: Size2D, strides: Size2D? = nil, padding: Padding = .valid) {
        super.init(kernel: kernel, strides: strides, padding: padding, countsPadding: false)
    }

    // MARK: Wire

    public static let entry = Pooling.entry("MaxPool", APUS__NODE__OPERATOR_MAX_POOL) { kernel, strides, padding, _ in
        MaxPool(kernel: kernel, strides: strides, padding: padding)
    }
    public override var entry: OperatorEntry { MaxPool.entry }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        guard x.dtype == .i8 else { return [try pooled(x)] }
        try x.requireMovable("x")
        guard x.shape.rank == 4 else { throw .shape("x \(x) of rank \(x.shape.rank), wanted 4") }
        return [x.moved(to: try pooled(x.shape))]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = try self.params(site.inputs[0].shape)
        var plan = try KernelPlan(
            site.dtype == CK_I8 ? ck_max_pool8(site.isa) : ck_max_pool(&params, site.dtype, site.isa), params, units: ck_pool_units(&params), at: site,
            operations: operations(y: site.outputs[0].shape))
        if kernel == 2 && strides == 2 && padding.isNone { plan.sharing = .pool }
        return plan
    }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(MaxPoolGradient(kernel: kernel, strides: strides, padding: padding), g.x, g.y, try g.dy())]
    }
}
