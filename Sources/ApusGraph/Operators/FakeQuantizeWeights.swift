import CKernels
import CModelFormat

/// Each column of weights rounded to the multiples in −127 ... 127 of s = max |W[..., n]| / 127, which its codes of i8 can be.
/// Docs/Quantization.md, section 10.
///
/// Input: W [..., N], f32 or f64, of rank 1 or more. Output: y, shaped like W. The gradient passes straight through: no weight
/// is outside its range.
public final class FakeQuantizeWeights: Operator {
    public init() {}

    // MARK: Wire

    public static let entry = OperatorEntry("FakeQuantizeWeights", APUS__NODE__OPERATOR_FAKE_QUANTIZE_WEIGHTS) {
        _ throws(ApusError) in FakeQuantizeWeights()
    }
    public override var entry: OperatorEntry { FakeQuantizeWeights.entry }

    // MARK: Shape rule

    public override func mayOverwrite(input: Int, output: Int) -> Bool { true }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let w = inputs[0]
        try w.require("W", float: true)
        guard w.shape.rank >= 1 else { throw .shape("W \(w) without an axis of columns") }
        return [w]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let w = site.inputs[0].shape
        var params = ck_fake_weights_params(rows: Int64(w.count / max(1, w.last)), columns: Int64(w.last))
        return try KernelPlan(
            ck_fake_quantize_weights(site.dtype, site.isa), params, units: ck_fake_weights_units(&params), at: site,
            operations: 6 * w.count)
    }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [try g.dy()] }
}
