import CKernels
import CModelFormat

/// y = s·(quantize(x / s, z) − z): x rounded to what codes of i8 over a range can be, s and z being those of
/// low ... high. NaN becomes the lowest. Docs/Quantization.md, section 10.
///
/// Inputs: x, f32 or f64; range [2], low and high, of its type. Output: y, shaped like x. The gradient passes straight through
/// where x is in the range (Bengio, Léonard, Courville 2013). The range has one where `rangeGradientScale` is not 0: that of a
/// learned step size (Esser et al. 2020) with both ends free, times the scale.
public final class FakeQuantize: Operator {
    public let rangeGradientScale: Float

    public init(rangeGradientScale: Float = 0) { self.rangeGradientScale = rangeGradientScale }

    // MARK: Wire

    public static let entry = OperatorEntry("FakeQuantize", APUS__NODE__OPERATOR_FAKE_QUANTIZE) { node throws(ApusError) in
        FakeQuantize(rangeGradientScale: node.fake_quantize.pointee.range_gradient_scale)
    }
    public override var entry: OperatorEntry { FakeQuantize.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.fake_quantize = wire.message(apus__fake_quantize__init) { $0.range_gradient_scale = rangeGradientScale }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try FakeQuantize.check(inputs, scale: rangeGradientScale)
        return [inputs[0]]
    }

    static func check(_ inputs: [TensorType], scale: Float) throws(ApusError) {
        guard scale >= 0 && scale.isFinite else { throw .shape("a gradient scale of \(scale), wanted a finite one of 0 or more") }
        try inputs[0].require("x", float: true)
        try inputs[1].require("range", exactly: TensorType(inputs[0].dtype, [2]))
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let count = site.inputs[0].shape.count
        let params = ck_fake_quantize_params(count: Int64(count), range_scale: 0, momentum: 0)
        return try KernelPlan(
            ck_fake_quantize(site.dtype, site.isa), params, units: ck_flat_units(params.count), at: site,
            operations: 5 * count)
    }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let op = FakeQuantizeGradient(rangeGradientScale: g.wanted[1] ? rangeGradientScale : 0)
        let found = try g.builder.node(op, [g.x, g.inputs[1], try g.dy()])
        return [found[0], found.count > 1 ? found[1] : nil]
    }
}
