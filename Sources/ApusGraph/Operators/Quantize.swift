import CKernels
import CModelFormat

/// y = rne(clamp(x / s)) + z: real numbers as codes of i8, NaN the lowest. ONNX: QuantizeLinear.
///
/// Input: x, f32. Output: y, of the node's output quantization. Docs/Quantization.md, section 3.
public final class Quantize: Operator {
    public let output: CodeScale

    public init(to output: CodeScale) {
        self.output = output
        super.init(outputCodes: output)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Quantize", APUS__NODE__OPERATOR_QUANTIZE) { node throws(ApusError) in
        Quantize(to: try CodeScale(wire: node))
    }
    public override var entry: OperatorEntry { Quantize.entry }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try inputs[0].require("x", dtype: .f32)
        return [output.type(inputs[0].shape)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let params = ck_quantize_params(
            count: Int64(site.outputs[0].shape.count), scale: output.scale, to: output.quantizer())
        return try KernelPlan(
            ck_quantize(site.isa), params, units: ck_flat_units(params.count), at: site,
            operations: 2 * Int(params.count))
    }
}
