import CKernels
import CModelFormat

/// dW = Conv2DWeightGradient(x, MaxPoolIndexGradient(index, dy)), image by image: the gradient of Conv2DMaxPool's W where none of
/// its x is wanted. The gradients of images are added in order within up to 16 slices of the batch, then those of the slices.
///
/// Inputs: x [N, H, W, C]; index and dy, those of the pool; W, whose values are not read. Output: dW, like W.
public final class Conv2DMaxPoolWeightGradient: Operator {
    private let geometry: ConvolutionGeometry
    private let pool: MaxPoolIndex

    public convenience init(_ convolution: Conv2DWeightGradient, _ pool: MaxPoolIndexGradient) {
        self.init(
            convolution.geometry, MaxPoolIndex(kernel: pool.kernel, strides: pool.strides, padding: pool.padding))
    }

    private init(_ geometry: ConvolutionGeometry, _ pool: MaxPoolIndex) {
        self.geometry = geometry
        self.pool = pool
        super.init(inputsRead: 3)
    }

    // MARK: Wire

    public static let entry = OperatorEntry(
        "Conv2DMaxPoolWeightGradient", APUS__NODE__OPERATOR_CONV2D_MAX_POOL_WEIGHT_GRADIENT
    ) {
        node throws(ApusError) in
        let (convolution, pool) = try node.conv2d_max_pool_weight_gradient.pointee.parts()
        return Conv2DMaxPoolWeightGradient(try ConvolutionGeometry(wire: convolution), pool)
    }
    public override var entry: OperatorEntry { Conv2DMaxPoolWeightGradient.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.conv2d_max_pool_weight_gradient = wire.message(apus__conv2_dmax_pool__init) {
            $0.convolution = geometry.encoded(wire)
            $0.pool = pool.encoded(wire)
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 4...4 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], w = inputs[3]
        try x.require("x", rank: 4, float: true)
        try geometry.requireDirect()
        try geometry.requireWeights(w, for: x)
        let z = TensorType(x.dtype, try geometry.output(x: x.shape, w: w.shape))
        guard !geometry.isDepthwise(w.shape) else {
            throw .shape("a depthwise convolution, wanted one that joins channels")
        }
        let pooled = try pool.outputTypes([z])
        try inputs[1].require("index", exactly: pooled[1])
        try inputs[2].require("dy", exactly: pooled[0])
        return [w]
    }

    // MARK: Kernel choice

    /// The workspace holds the sums of each slice of images, then what each lane has in work.
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape, w = site.outputs[0].shape, bytes = site.inputs[0].dtype.bitWidth / 8
        let z = try geometry.output(x: x, w: w)
        var conv = try geometry.params(x: x, w: w, y: z)
        var pooling = try pool.params(z)
        var params = ck_conv_pool_params(
            conv: conv, pool: pooling, convolution: ck_conv_weight_gradient(&conv, site.dtype, site.isa),
            pooling: ck_max_pool_index_gradient(&pooling, site.dtype, site.isa))
        let sums = KernelOperand.workspace(0), sumsBytes = (ck_conv_pool_gradient_sums(&params) * bytes + 63) / 64 * 64
        return KernelPlan(
            [
                try Launch(
                    ck_conv_pool_gradient(site.dtype), params, units: ck_conv_pool_gradient_units(&params),
                    [.input(0), .input(1), .input(2), sums, .workspace(sumsBytes)]),
                try Launch(
                    ck_conv_pool_gradient_join(site.dtype), params, units: ck_conv_pool_gradient_join_units(&params),
                    [sums, .output(0)]),
            ], workspaceBytes: sumsBytes + ck_conv_pool_gradient_scratch(&params) * bytes * site.lanes,
            operations: geometry.operations(w: w, y: z))
    }
}
