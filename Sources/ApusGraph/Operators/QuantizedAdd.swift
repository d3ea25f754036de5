import CKernels
import CModelFormat

/// y = quantize((a − z_a) · s_a/s_y + (b − z_b) · s_b/s_y). ONNX: Add between DequantizeLinear and QuantizeLinear.
public final class QuantizedAdd: QuantizedElementwise {
    // MARK: Wire

    public static let entry = QuantizedElementwise.entry("QuantizedAdd", APUS__NODE__OPERATOR_QUANTIZED_ADD) {
        QuantizedAdd(output: $0, bounds: $1)
    }
    public override var entry: OperatorEntry { QuantizedAdd.entry }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let a = try site.inputs[0].requireCodes("a"), b = try site.inputs[1].requireCodes("b")
        var params = params(site, a, b)
        params.a_scale = a.ratio(to: output)
        params.b_scale = b.ratio(to: output)
        return try KernelPlan(
            ck_add8(site.isa), params, units: ck_binary8_units(&params), at: site,
            operations: 4 * site.outputs[0].shape.count)
    }
}
