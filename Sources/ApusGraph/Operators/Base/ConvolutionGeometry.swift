import CKernels
import CModelFormat

/// What a convolution and its gradients share. In its words, whatever the operator's inputs are:
/// Y [N, OH, OW, O] = X [N, H, W, C] * W [kh, kw, C / groups, O], where output channel o reads the input channels of
/// group o / (O / groups).
struct ConvolutionGeometry: Sendable {
    let window: SlidingWindow
    let groups: Int
    let algorithm: ConvolutionAlgorithm

    init(
        strides: Size2D, dilations: Size2D, padding: Padding, groups: Int, algorithm: ConvolutionAlgorithm = .direct
    ) {
        self.init(
            SlidingWindow(strides: strides, dilations: dilations, padding: padding), groups: groups,
            algorithm: algorithm)
    }

    private init(_ window: SlidingWindow, groups: Int, algorithm: ConvolutionAlgorithm) {
        self.window = window
        self.groups = groups
        self.algorithm = algorithm
    }

    /// The same, computed otherwise.
    func computed(by algorithm: ConvolutionAlgorithm) -> ConvolutionGeometry {
        ConvolutionGeometry(window, groups: groups, algorithm: algorithm)
    }

    // MARK: Wire

    init(wire: UnsafePointer<Apus__Conv2D>) throws(ApusError) {
        let m = wire.pointee
        self.init(
            strides: Size2D(Int(m.stride_height), Int(m.stride_width)),
            dilations: Size2D(Int(m.dilation_height), Int(m.dilation_width)),
            padding: try Padding(
                wire: m.padding, top: m.pad_top, left: m.pad_left, bottom: m.pad_bottom, right: m.pad_right),
            groups: Int(m.groups), algorithm: try ConvolutionAlgorithm(wire: m.algorithm))
    }

    func encoded(_ wire: WireArena, _ epilogue: Epilogue = Epilogue()) -> UnsafeMutablePointer<Apus__Conv2D> {
        wire.message(apus__conv2_d__init) {
            $0.stride_height = UInt32(clamping: window.strides.height)
            $0.stride_width = UInt32(clamping: window.strides.width)
            $0.dilation_height = UInt32(clamping: window.dilations.height)
            $0.dilation_width = UInt32(clamping: window.dilations.width)
            $0.groups = UInt32(clamping: groups)
            $0.padding = window.padding.encoded
            ($0.pad_top, $0.pad_left, $0.pad_bottom, $0.pad_right) = window.padding.widths
            $0.has_bias = epilogue.hasBias ? 1 : 0
            $0.has_residual = epilogue.hasResidual ? 1 : 0
            $0.activation = epilogue.activation.encoded(wire)
            $0.algorithm = algorithm.encoded
        }
    }

    // MARK: Shape rule

    /// One input channel per group: those weights have a kernel of their own, which reads them plain.
    func isDepthwise(_ w: Shape) -> Bool { groups > 1 && w.rank == 4 && w[2] == 1 }

    /// Rank, layout and type of W for activations like x. A depthwise W may be narrower without being packed.
    func requireWeights(_ w: TensorType, for x: TensorType, packed: Bool = false) throws(ApusError) {
        let depthwise = isDepthwise(w.shape)
        try w.require("W", rank: 4, layouts: packed && !depthwise ? .plainOrConvPanels : .plain)
        guard w.layout == .plain || w.layout == panels else {
            throw .shape("W \(w) in panels of other groups or another algorithm, wanted \(groups) groups, \(algorithm.name)")
        }
        guard algorithm == .direct || w.dtype == x.dtype else {
            throw .shape("W of type \(w.dtype.name) for \(algorithm.name), wanted \(x.dtype.name)")
        }
        let isNarrow = w.dtype == .f16 || w.dtype == .bf16
        guard !(packed && depthwise && isNarrow && x.dtype == .f32) else { return }
        try w.requireWeights(for: x)
    }

    /// The packed layout of W.
    var panels: Layout {
        switch algorithm {
        case .direct: .convPanels(groups: groups)
        case .winograd(let tile): .winogradPanels(tile: tile)
        }
    }

    /// Whether the algorithm can compute the convolution with W, and its input gradient.
    func requireAlgorithm(w: Shape) throws(ApusError) {
        guard algorithm != .direct else { return }
        guard w[0] == 3, w[1] == 3, window.strides == 1, window.dilations == 1, groups == 1 else {
            throw .shape("\(algorithm.name) with W \(w), wanted 3 x 3 taps, strides, dilations and groups of 1")
        }
    }

    /// What has but one algorithm.
    func requireDirect() throws(ApusError) {
        guard algorithm == .direct else { throw .shape("\(algorithm.name) here, wanted direct") }
    }

    /// The shape of Y, all rules checked but the rank.
    func output(x: Shape, w: Shape) throws(ApusError) -> Shape {
        guard groups >= 1 && groups <= Shape.maximumExtent else {
            throw .shape("\(groups) groups, wanted 1 ... \(Shape.maximumExtent)")
        }
        try SlidingWindow.check("x \(x)", x[0], x[3])
        try SlidingWindow.check("W \(w)", w[2], w[3])
        guard w[2] * groups == x[3] else {
            throw .shape("x \(x) with \(x[3]) channels, wanted \(w[2] * groups) for W \(w) in \(groups) groups")
        }
        guard w[3] % groups == 0 else {
            throw .shape("W \(w) with \(w[3]) output channels, wanted a multiple of the \(groups) groups")
        }
        let placement = try window.placed(kernel: Size2D(w[0], w[1]), over: Size2D(x[1], x[2]))
        return [x[0], placement.output.height, placement.output.width, w[3]]
    }

    // MARK: Kernel choice

    func params(x: Shape, w: Shape, y: Shape, _ epilogue: Epilogue = Epilogue()) throws(ApusError) -> ck_conv_params {
        let placement = try window.placed(kernel: Size2D(w[0], w[1]), over: Size2D(x[1], x[2]))
        return ck_conv_params(
            batch: Int32(clamping: x[0]), in_h: Int32(clamping: x[1]), in_w: Int32(clamping: x[2]),
            in_c: Int32(clamping: x[3]), out_h: Int32(clamping: y[1]), out_w: Int32(clamping: y[2]),
            out_c: Int32(clamping: y[3]), kernel_h: Int32(clamping: w[0]), kernel_w: Int32(clamping: w[1]),
            stride_h: Int32(clamping: window.strides.height), stride_w: Int32(clamping: window.strides.width),
            dilation_h: Int32(clamping: window.dilations.height), dilation_w: Int32(clamping: window.dilations.width),
            pad_top: Int32(clamping: placement.top), pad_left: Int32(clamping: placement.left),
            groups: Int32(clamping: groups), has_bias: epilogue.hasBias ? 1 : 0,
            has_residual: epilogue.hasResidual ? 1 : 0, winograd: algorithm == .direct ? 0 : 1, fused: 0, pools: 0,
            activation: epilogue.activation.params)
    }

    /// Two per multiply-add, the same for the convolution and either gradient; saturating.
    func operations(w: Shape, y: Shape) -> Int { 2 * Shape([y.count, w[0], w[1], w[2]]).count }
}
