import CKernels
import CModelFormat

/// y = the softmax of each row along the last axis, from a table of exponentials. ONNX: Softmax between DequantizeLinear
/// and QuantizeLinear.
///
/// Inputs: x, i8 quantized by one scale s; E [256], i32, E[d] = rne(2¹⁶ · exp(−s·d)). Output: y, of scale 1/256 and zero
/// point −128. Docs/Quantization.md, section 6.
public final class QuantizedSoftmax: Operator {
    public static let output = CodeScale(scale: 1 / 256, zeroPoint: -128)

    public init() {}

    // MARK: Wire

    public static let entry = OperatorEntry("QuantizedSoftmax", APUS__NODE__OPERATOR_QUANTIZED_SOFTMAX) {
        _ throws(ApusError) in QuantizedSoftmax()
    }
    public override var entry: OperatorEntry { QuantizedSoftmax.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireCodes("x")
        guard x.shape.rank >= 1 else { throw .shape("x \(x) of rank 0, wanted 1 or more") }
        try inputs[1].require("exponentials", exactly: TensorType(.i32, [256]))
        return [QuantizedSoftmax.output.type(x.shape)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape
        let params = ck_softmax8_params(rows: Int64(x.product(0..<x.rank - 1)), width: Int64(x.last))
        return try KernelPlan(
            ck_softmax8(site.isa), params, units: x.count == 0 ? 0 : Int(params.rows), at: site, operations: 4 * x.count)
    }
}
