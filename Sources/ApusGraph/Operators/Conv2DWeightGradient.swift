import CKernels
import CModelFormat

/// dW[ky, kx, c, o] = Σ over n, i, j of x[n, i·sh + ky·dh − top, j·sw + kx·dw − left, g·C/groups + c] · dy[n, i, j, o]:
/// the gradient of Conv2D's W. By `.winograd(tile: 4)`, F(3 × 3, 4 × 4), C is a multiple of 8, at most 512.
///
/// Inputs: x [N, H, W, C]; dy [N, OH, OW, O]; W [kh, kw, C/groups, O], whose values are not read. Output: dW, like W.
public final class Conv2DWeightGradient: Operator {
    let geometry: ConvolutionGeometry

    public convenience init(
        strides: Size2D = 1, dilations: Size2D = 1, padding: Padding = .valid, groups: Int = 1,
        algorithm: ConvolutionAlgorithm = .direct
    ) {
        self.init(
            ConvolutionGeometry(
                strides: strides, dilations: dilations, padding: padding, groups: groups, algorithm: algorithm))
    }

    init(_ geometry: ConvolutionGeometry) {
        self.geometry = geometry
        super.init(inputsRead: 2)
    }

    public var groups: Int { geometry.groups }
    public var algorithm: ConvolutionAlgorithm { geometry.algorithm }

    /// The same gradient, computed otherwise.
    public func computed(by algorithm: ConvolutionAlgorithm) -> Conv2DWeightGradient {
        Conv2DWeightGradient(geometry.computed(by: algorithm))
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Conv2DWeightGradient", APUS__NODE__OPERATOR_CONV2D_WEIGHT_GRADIENT) {
        node throws(ApusError) in Conv2DWeightGradient(try ConvolutionGeometry(wire: node.conv2d_weight_gradient))
    }
    public override var entry: OperatorEntry { Conv2DWeightGradient.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.conv2d_weight_gradient = geometry.encoded(wire)
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 3...3 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], dy = inputs[1], w = inputs[2]
        try x.require("x", rank: 4, float: true)
        try geometry.requireAlgorithm(w: w.shape)
        guard algorithm == .direct || algorithm == .winograd(tile: 4) && x.shape[3] % 8 == 0 && x.shape[3] <= 512 else {
            throw .shape("\(algorithm.name) of \(x.shape[3]) channels, wanted 4 x 4, and a multiple of 8 up to 512")
        }
        try geometry.requireWeights(w, for: x)
        try dy.require("dy", exactly: TensorType(x.dtype, try geometry.output(x: x.shape, w: w.shape)))
        return [w]
    }

    // MARK: Kernel choice

    /// The workspace holds the sums of each slice of images, then what each lane has in work.
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape, dy = site.inputs[1].shape, w = site.outputs[0].shape
        var params = try geometry.params(x: x, w: w, y: dy)
        let operations = geometry.operations(w: w, y: dy)
        if geometry.isDepthwise(w) {
            let launch = try Launch(
                ck_depthwise_weight_gradient(&params, site.dtype, site.isa), params,
                units: ck_depthwise_weight_gradient_units(&params), [.input(0), .input(1), .output(0)])
            return KernelPlan([launch], operations: operations)
        }
        let bytes = site.inputs[0].dtype.bitWidth / 8
        let sums = KernelOperand.workspace(0), sumsBytes = (ck_conv_weight_gradient_sums(&params) * bytes + 63) / 64 * 64
        let scratch = KernelOperand.workspace(sumsBytes)
        return KernelPlan(
            [
                try Launch(
                    ck_conv_weight_gradient(&params, site.dtype, site.isa), params,
                    units: ck_conv_weight_gradient_units(&params), [.input(0), .input(1), sums, scratch]),
                try Launch(
                    ck_conv_weight_gradient_join(site.dtype), params,
                    units: ck_conv_weight_gradient_join_units(&params), [sums, .output(0)]),
            ], workspaceBytes: sumsBytes + ck_conv_weight_gradient_scratch(&params) * bytes * site.lanes,
            operations: operations)
    }
}
