import CKernels
import CModelFormat

/// y = T[x + 128]: any function of one code, as a table. ONNX has none; there it is the function between
/// DequantizeLinear and QuantizeLinear.
///
/// Inputs: x, i8 quantized by one scale; T [256], i8 or f32. Output: y of T's type; codes have the node's output
/// quantization. Docs/Quantization.md, section 5.
public final class Lookup: Operator {
    /// `output`: what the codes in the table stand for; nil: it holds real numbers.
    public init(output: CodeScale?) {
        super.init(outputCodes: output)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Lookup", APUS__NODE__OPERATOR_LOOKUP) { node throws(ApusError) in
        Lookup(output: try CodeScale.optional(wire: node))
    }
    public override var entry: OperatorEntry { Lookup.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }
    /// The table is no larger, and may be as large.
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try inputs[0].requireCodes("x")
        try inputs[1].require("table", exactly: TensorType(outputCodes == nil ? .f32 : .i8, [256]))
        return [outputCodes?.type(inputs[0].shape) ?? TensorType(.f32, inputs[0].shape)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let params = ck_lookup_params(count: Int64(site.outputs[0].shape.count))
        return try KernelPlan(
            ck_lookup(site.outputs[0].dtype.ck, site.integerISA), params, units: ck_flat_units(params.count), at: site,
            operations: Int(params.count))
    }
}
