import CKernels
import CModelFormat

/// y = quantize((c + Σ (x + 128)·W) · m + (r − z_r) · s_r/s_y), or (c + Σ (x + 128)·W) · m as f32, the sum going over the
/// taps of Conv2D and the zero point of x standing in the padding. ONNX: Conv between DequantizeLinear and QuantizeLinear.
///
/// Inputs: x [N, H, W, C]; W [kh, kw, C/groups, O], plain or in int8 convolution panels; c, m [O]; r, shaped like y.
/// Output: y [N, OH, OW, O]. With as many groups as channels, more than one, it is a depthwise convolution, whose W stays
/// plain.
public final class QuantizedConv2D: QuantizedProduct {
    private let geometry: ConvolutionGeometry

    public var strides: Size2D { geometry.window.strides }
    public var dilations: Size2D { geometry.window.dilations }
    public var padding: Padding { geometry.window.padding }
    public var groups: Int { geometry.groups }

    public convenience init(
        strides: Size2D = 1, dilations: Size2D = 1, padding: Padding = .valid, groups: Int = 1, output: CodeScale?,
        bounds: CodeBounds = CodeBounds(), hasResidual: Bool = false
    ) {
        self.init(
            ConvolutionGeometry(strides: strides, dilations: dilations, padding: padding, groups: groups), output, bounds,
            hasResidual)
    }

    init(_ geometry: ConvolutionGeometry, _ output: CodeScale?, _ bounds: CodeBounds, _ hasResidual: Bool) {
        self.geometry = geometry
        super.init(output: output, bounds: bounds, hasResidual: hasResidual)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("QuantizedConv2D", APUS__NODE__OPERATOR_QUANTIZED_CONV2D) {
        node throws(ApusError) in
        let m = node.quantized_conv2d.pointee
        guard let convolution = m.convolution else { throw .file("a quantized convolution without a convolution") }
        let epilogue = try Epilogue(wire: convolution)
        guard !epilogue.hasBias && epilogue.activation == .none else {
            throw .file("a bias or an activation of a quantized convolution, wanted none beside c and bounds")
        }
        return QuantizedConv2D(
            try ConvolutionGeometry(wire: convolution), try CodeScale.optional(wire: node), CodeBounds(wire: m.bounds),
            epilogue.hasResidual)
    }
    public override var entry: OperatorEntry { QuantizedConv2D.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.quantized_conv2d = wire.message(apus__quantized_conv2_d__init) {
            $0.convolution = geometry.encoded(wire, Epilogue(hasResidual: hasResidual))
            $0.bounds = bounds.encoded(wire)
        }
    }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0].shape, w = inputs[1].shape
        try inputs[0].requireCodes("x")
        guard x.rank == 4 else { throw .shape("x \(inputs[0]) of rank \(x.rank), wanted 4") }
        try requireWeights(inputs[1], rank: 4, packed: geometry.isDepthwise(w) ? nil : .convPanels4(groups: groups))
        return [try result(inputs, try geometry.output(x: x, w: w), depth: w.product(0..<3))]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape, w = site.inputs[1].shape, y = site.outputs[0].shape
        var plan = try plan(
            site, try geometry.params(x: x, w: w, y: y), depthwise: geometry.isDepthwise(w),
            operations: geometry.operations(w: w, y: y))
        if plan.sharing == .none && !hasResidual { plan.sharing = .pixels }
        return plan
    }

    public override func packedLayout(input: Int, type: TensorType) -> Layout? {
        input == 1 && !geometry.isDepthwise(type.shape) ? .convPanels4(groups: groups) : nil
    }
}
