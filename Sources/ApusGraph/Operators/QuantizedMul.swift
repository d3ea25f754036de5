import CKernels
import CModelFormat

/// y = quantize((a − z_a) · (b − z_b) · s_a·s_b/s_y). ONNX: Mul between DequantizeLinear and QuantizeLinear.
public final class QuantizedMul: QuantizedElementwise {
    // MARK: Wire

    public static let entry = QuantizedElementwise.entry("QuantizedMul", APUS__NODE__OPERATOR_QUANTIZED_MUL) {
        QuantizedMul(output: $0, bounds: $1)
    }
    public override var entry: OperatorEntry { QuantizedMul.entry }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let a = try site.inputs[0].requireCodes("a"), b = try site.inputs[1].requireCodes("b")
        var params = params(site, a, b)
        params.a_scale = Float(Double(a.scale) * Double(b.scale) / Double(output.scale))
        return try KernelPlan(
            ck_mul8(site.isa), params, units: ck_binary8_units(&params), at: site,
            operations: 3 * site.outputs[0].shape.count)
    }
}
