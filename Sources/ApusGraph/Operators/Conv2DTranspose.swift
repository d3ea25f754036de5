import CKernels
import CModelFormat

/// y = act(x *ᵀ W + b + r), where *ᵀ is the input gradient of the convolution with these strides, dilations, padding
/// and groups: y[n, i·sh + ky·dh − top, j·sw + kx·dw − left, g·O/groups + o] += x[n, i, j, c] · W[ky, kx, o, c] for
/// every i, j, ky, kx and c of group g. ONNX: ConvTranspose, there channels first with W [C, O/groups, kh, kw]; Keras:
/// Conv2DTranspose, whose W is this one.
///
/// Inputs: x [N, H, W, C]; W [kh, kw, O/groups, C], the weights of that convolution, which takes y's channels to x's;
/// b [O] if `hasBias`; r, shaped like y, if `hasResidual`. Output: y [N, OH, OW, O],
/// OH = (H − 1)·sh + (kh − 1)·dh + 1 − top − bottom + output padding, or H·sh with padding `same`; OW likewise. The
/// output padding is less than the stride: rows and columns at the end that the convolution would leave unread.
public final class Conv2DTranspose: Convolution {
    public let outputPadding: Size2D

    public init(
        strides: Size2D = 1, dilations: Size2D = 1, padding: Padding = .valid, outputPadding: Size2D = 0,
        groups: Int = 1, hasBias: Bool = true, hasResidual: Bool = false, activation: Activation = .none
    ) {
        self.outputPadding = outputPadding
        super.init(
            ConvolutionGeometry(strides: strides, dilations: dilations, padding: padding, groups: groups),
            Epilogue(hasBias: hasBias, hasResidual: hasResidual, activation: activation))
    }

    private init(_ geometry: ConvolutionGeometry, _ epilogue: Epilogue, outputPadding: Size2D) {
        self.outputPadding = outputPadding
        super.init(geometry, epilogue)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Conv2DTranspose", APUS__NODE__OPERATOR_CONV2D_TRANSPOSE) {
        node throws(ApusError) in
        let m = node.conv2d_transpose.pointee
        guard let convolution = m.convolution else { throw .file("a Conv2DTranspose without its convolution") }
        return Conv2DTranspose(
            try ConvolutionGeometry(wire: convolution), try Epilogue(wire: convolution),
            outputPadding: Size2D(Int(m.output_padding_height), Int(m.output_padding_width)))
    }
    public override var entry: OperatorEntry { Conv2DTranspose.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.conv2d_transpose = wire.message(apus__conv2_dtranspose__init) {
            $0.convolution = geometry.encoded(wire, epilogue)
            $0.output_padding_height = UInt32(clamping: outputPadding.height)
            $0.output_padding_width = UInt32(clamping: outputPadding.width)
        }
    }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], w = inputs[1]
        try x.require("x", rank: 4, float: true)
        try geometry.requireDirect()
        try geometry.requireWeights(w, for: x)
        guard groups >= 1 && groups <= Shape.maximumExtent else {
            throw .shape("\(groups) groups, wanted 1 ... \(Shape.maximumExtent)")
        }
        let size = try geometry.window.image(
            kernel: Size2D(w.shape[0], w.shape[1]), output: Size2D(x.shape[1], x.shape[2]), extra: outputPadding)
        let y = TensorType(x.dtype, [x.shape[0], size.height, size.width, w.shape[2] * groups])
        guard try geometry.output(x: y.shape, w: w.shape) == x.shape else {
            throw .shape("x \(x) with \(x.shape[3]) channels, wanted \(w.shape[3]) for W \(w)")
        }
        try epilogue.check(inputs, result: y)
        return [y]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape, w = site.inputs[1].shape, y = site.outputs[0].shape
        return try geometry.product(
            site, try geometry.params(x: y, w: w, y: x, epilogue), .backward, site.allOperands)
    }

    // MARK: Gradient

    /// dx = dy * W, dW = dy * x, db = Σ dy, dr = dy.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let dy = try g.dy(), x = g.x, w = g.inputs[1]
        return [
            g.wanted[0] ? try g(Conv2D(geometry, Epilogue()), dy, w) : nil,
            g.wanted[1] ? try g(Conv2DWeightGradient(geometry), dy, x, w) : nil,
        ] + (try epilogue.gradients(g))
    }
}
