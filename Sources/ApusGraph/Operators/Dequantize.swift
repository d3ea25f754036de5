import CKernels
import CModelFormat

/// y = s · (x − z): codes as real numbers. ONNX: DequantizeLinear.
///
/// Input: x, i8 quantized by one scale. Output: y, f32. Docs/Quantization.md, section 3.
public final class Dequantize: Operator {
    public init() {}

    // MARK: Wire

    public static let entry = OperatorEntry("Dequantize", APUS__NODE__OPERATOR_DEQUANTIZE) {
        _ throws(ApusError) in Dequantize()
    }
    public override var entry: OperatorEntry { Dequantize.entry }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try inputs[0].requireCodes("x")
        return [TensorType(.f32, inputs[0].shape)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = try site.inputs[0].requireCodes("x")
        let params = ck_dequantize_params(
            count: Int64(site.outputs[0].shape.count), scale: x.scale, zero: x.zeroPoint)
        return try KernelPlan(
            ck_dequantize(site.isa), params, units: ck_flat_units(params.count), at: site,
            operations: 2 * Int(params.count))
    }
}
