import CKernels
import CModelFormat

/// dx = dy where −128 − z ≤ x/s ≤ 127 − z, else 0, with s and z of the range as in `FakeQuantize`; and where
/// `rangeGradientScale` is not 0, drange = scale · Σ dy · ∂y/∂(low, high). In the range ∂y/∂high = (n − x/s) / 255 with n the
/// nearest integer, and ∂y/∂low its negative; beyond an end it is 1 for that end.
///
/// Inputs: x, f32 or f64; range [2] and dy, of its type. Outputs: dx, shaped like x; drange [2]. Sums are carried in double.
public final class FakeQuantizeGradient: Operator {
    public let rangeGradientScale: Float

    public init(rangeGradientScale: Float = 0) { self.rangeGradientScale = rangeGradientScale }

    // MARK: Wire

    public static let entry = OperatorEntry("FakeQuantizeGradient", APUS__NODE__OPERATOR_FAKE_QUANTIZE_GRADIENT) {
        node throws(ApusError) in
        FakeQuantizeGradient(rangeGradientScale: node.fake_quantize_gradient.pointee.range_gradient_scale)
    }
    public override var entry: OperatorEntry { FakeQuantizeGradient.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.fake_quantize_gradient = wire.message(apus__fake_quantize__init) {
            $0.range_gradient_scale = rangeGradientScale
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 3...3 }
    public override var outputCount: Int { rangeGradientScale == 0 ? 1 : 2 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 2 && output == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try FakeQuantize.check(inputs, scale: rangeGradientScale)
        try inputs[2].require("dy", exactly: inputs[0])
        return Array([inputs[0], inputs[1]].prefix(outputCount))
    }

    // MARK: Kernel choice

    /// The workspace holds the two sums of each block.
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let count = site.inputs[0].shape.count
        let params = ck_fake_quantize_params(
            count: Int64(count), range_scale: Double(rangeGradientScale), momentum: 0)
        let units = ck_flat_units(params.count), sums = KernelOperand.workspace(0)
        let slope = try Launch(
            ck_fake_quantize_gradient(site.dtype, site.isa), params, units: units,
            [.input(0), .input(1), .input(2), .output(0), sums])
        guard rangeGradientScale != 0 else { return KernelPlan([slope], operations: 3 * count) }
        return KernelPlan(
            [slope, try Launch(ck_fake_quantize_join(site.dtype), params, units: 1, [sums, .output(1)])],
            workspaceBytes: 16 * max(1, units), operations: 12 * count)
    }
}
