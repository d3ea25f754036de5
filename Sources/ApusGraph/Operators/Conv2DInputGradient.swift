import CKernels
import CModelFormat

/// dx = dy *ᵀ W: the gradient of Conv2D's x. dx[n, y, x, c] = Σ of dy[n, i, j, o] · W[ky, kx, c, o] over all outputs
/// that read this input, with ky and kx the tap by which they do.
///
/// Inputs: dy [N, OH, OW, O]; W [kh, kw, C/groups, O]; x [N, H, W, C], whose values are not read. Output: dx, shaped
/// like x.
public final class Conv2DInputGradient: Operator {
    private let geometry: ConvolutionGeometry

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

    public var algorithm: ConvolutionAlgorithm { geometry.algorithm }

    /// The same gradient, computed otherwise.
    public func computed(by algorithm: ConvolutionAlgorithm) -> Conv2DInputGradient {
        Conv2DInputGradient(geometry.computed(by: algorithm))
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Conv2DInputGradient", APUS__NODE__OPERATOR_CONV2D_INPUT_GRADIENT) {
        node throws(ApusError) in Conv2DInputGradient(try ConvolutionGeometry(wire: node.conv2d_input_gradient))
    }
    public override var entry: OperatorEntry { Conv2DInputGradient.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.conv2d_input_gradient = geometry.encoded(wire)
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 3...3 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let dy = inputs[0], w = inputs[1], x = inputs[2]
        try x.require("x", rank: 4, float: true)
        try geometry.requireWeights(w, for: x)
        try dy.require("dy", exactly: TensorType(x.dtype, try geometry.output(x: x.shape, w: w.shape)))
        try geometry.requireAlgorithm(w: w.shape)
        return [x]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let dy = site.inputs[0].shape, w = site.inputs[1].shape, dx = site.outputs[0].shape
        return try geometry.product(
            site, try geometry.params(x: dx, w: w, y: dy), .backward, [.input(0), .input(1), .output(0)])
    }
}
