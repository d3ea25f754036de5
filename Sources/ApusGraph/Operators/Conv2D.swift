import CKernels
import CModelFormat

/// y[n, i, j, o] = act(b[o] + r[n, i, j, o] + Σ over ky, kx, c of
///     x[n, i·sh + ky·dh − top, j·sw + kx·dw − left, g·C/groups + c] · W[ky, kx, c, o]), g = o / (O / groups),
/// where x is 0 outside. ONNX: Conv, there channels first with W [O, C/groups, kh, kw].
///
/// Inputs: x [N, H, W, C]; W [kh, kw, C/groups, O], plain or in convolution panels; b [O] if `hasBias`; r, shaped like
/// y, if `hasResidual`. Output: y [N, OH, OW, O], OH = ⌊(H + top + bottom − (kh − 1)·dh − 1) / sh⌋ + 1, or ⌈H / sh⌉
/// with padding `same`; OW likewise. With as many groups as channels, more than one, it is a depthwise convolution,
/// whose W stays plain. `algorithm` says how the sums are computed; W may be in that algorithm's panels.
public final class Conv2D: Convolution {
    public init(
        strides: Size2D = 1, dilations: Size2D = 1, padding: Padding = .valid, groups: Int = 1, hasBias: Bool = true,
        hasResidual: Bool = false, activation: Activation = .none, algorithm: ConvolutionAlgorithm = .direct
    ) {
        super.init(
            ConvolutionGeometry(
                strides: strides, dilations: dilations, padding: padding, groups: groups, algorithm: algorithm),
            Epilogue(hasBias: hasBias, hasResidual: hasResidual, activation: activation))
    }

    override init(_ geometry: ConvolutionGeometry, _ epilogue: Epilogue) { super.init(geometry, epilogue) }

    public var algorithm: ConvolutionAlgorithm { geometry.algorithm }

    /// The same convolution, computed otherwise.
    public func computed(by algorithm: ConvolutionAlgorithm) -> Conv2D {
        Conv2D(geometry.computed(by: algorithm), epilogue)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Conv2D", APUS__NODE__OPERATOR_CONV2D) { node throws(ApusError) in
        Conv2D(try ConvolutionGeometry(wire: node.conv2d), try Epilogue(wire: node.conv2d))
    }
    public override var entry: OperatorEntry { Conv2D.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.conv2d = geometry.encoded(wire, epilogue)
    }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], w = inputs[1]
        try x.require("x", rank: 4, float: true)
        try geometry.requireWeights(w, for: x, packed: true)
        let y = TensorType(x.dtype, try geometry.output(x: x.shape, w: w.shape))
        try geometry.requireAlgorithm(w: w.shape)
        try epilogue.check(inputs, result: y)
        return [y]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape, w = site.inputs[1].shape, y = site.outputs[0].shape
        return try geometry.product(
            site, try geometry.params(x: x, w: w, y: y, epilogue), .forward, site.allOperands)
    }

    public override func packedLayout(input: Int, type: TensorType) -> Layout? {
        input == 1 && !geometry.isDepthwise(type.shape) ? geometry.panels : nil
    }

    // MARK: Gradient

    /// dx = dy *ᵀ W, dW = x * dy, db = Σ dy, dr = dy.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let dy = try g.dy(), x = g.x, w = g.inputs[1], geometry = self.geometry.computed(by: .direct)
        return [
            g.wanted[0] ? try g(Conv2DInputGradient(geometry), dy, w, x) : nil,
            g.wanted[1] ? try g(Conv2DWeightGradient(geometry), x, dy, w) : nil,
        ] + (try epilogue.gradients(g))
    }
}
