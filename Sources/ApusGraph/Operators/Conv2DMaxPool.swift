import CKernels
import CModelFormat

/// MaxPoolIndex(act(x * W + b)), some images at a time, so that the convolution's result is never in memory as a whole.
///
/// Inputs: x [N, H, W, C]; W [kh, kw, C/groups, O], plain; b [O] if the convolution has a bias. Outputs: y and index, those of
/// MaxPoolIndex. The convolution has no residual and is not depthwise.
public final class Conv2DMaxPool: Operator {
    public let convolution: Conv2D
    public let pool: MaxPoolIndex

    public init(_ convolution: Conv2D, _ pool: MaxPoolIndex) {
        self.convolution = convolution
        self.pool = pool
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Conv2DMaxPool", APUS__NODE__OPERATOR_CONV2D_MAX_POOL) {
        node throws(ApusError) in
        let (convolution, pool) = try node.conv2d_max_pool.pointee.parts()
        return Conv2DMaxPool(
            Conv2D(try ConvolutionGeometry(wire: convolution), try Epilogue(wire: convolution)), pool)
    }
    public override var entry: OperatorEntry { Conv2DMaxPool.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.conv2d_max_pool = wire.message(apus__conv2_dmax_pool__init) {
            $0.convolution = convolution.geometry.encoded(wire, convolution.epilogue)
            $0.pool = pool.encoded(wire)
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { convolution.inputCount }
    public override var outputCount: Int { 2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        guard !convolution.hasResidual else { throw .shape("a residual of the convolution, wanted none") }
        try inputs[1].require("W", rank: 4, layouts: .plain)
        try convolution.geometry.requireDirect()
        let z = try convolution.outputTypes(inputs)
        guard !convolution.geometry.isDepthwise(inputs[1].shape) else {
            throw .shape("a depthwise convolution, wanted one that joins channels")
        }
        return try pool.outputTypes(z)
    }

    // MARK: Kernel choice

    /// The workspace holds the packed weights, then what each lane has in work.
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape, w = site.inputs[1].shape, bytes = site.inputs[0].dtype.bitWidth / 8
        let z = try convolution.geometry.output(x: x, w: w)
        var conv = try convolution.geometry.params(x: x, w: w, y: z, convolution.epilogue)
        var pooling = try pool.params(z)
        var params = ck_conv_pool_params(
            conv: conv, pool: pooling, convolution: ck_conv(&conv, site.dtype, site.isa),
            pooling: ck_max_pool_index(&pooling, site.dtype, site.isa))
        let panels = KernelOperand.workspace(0), panelBytes = (ck_conv_panel_elements(&conv) * bytes + 63) / 64 * 64
        let bias: [KernelOperand] = convolution.hasBias ? [.input(2)] : []
        return KernelPlan(
            [
                try Launch(ck_conv_pack(site.dtype), conv, units: ck_conv_panels(&conv), [.input(1), panels]),
                try Launch(
                    ck_conv_pool(site.dtype), params, units: ck_conv_pool_units(&params),
                    [.input(0), panels] + bias + [.output(0), .output(1), .workspace(panelBytes)]),
            ], workspaceBytes: panelBytes + ck_conv_pool_scratch(&params) * bytes * site.lanes,
            operations: convolution.geometry.operations(w: w, y: z))
    }
}

extension Apus__Conv2DMaxPool {
    /// The convolution's attributes, and the pool.
    func parts() throws(ApusError) -> (UnsafePointer<Apus__Conv2D>, MaxPoolIndex) {
        guard let convolution, let pool else { throw .file("a convolution with max pooling that lacks one of the two") }
        let (kernel, strides, padding, _) = try Pooling.attributes(wire: pool)
        return (UnsafePointer(convolution), MaxPoolIndex(kernel: kernel, strides: strides, padding: padding))
    }
}
