import CKernels
import CModelFormat

/// y = quantize((c + Σ (x + 128)·W) · m + (r − z_r) · s_r/s_y), or (c + Σ (x + 128)·W) · m as f32. ONNX: MatMul or Gemm
/// between DequantizeLinear and QuantizeLinear.
///
/// Inputs: x [..., K]; W [K, N], plain or in int8 panels; c, m [N]; r, shaped like y. Output: y [..., N].
public final class QuantizedDense: QuantizedProduct {
    public override init(output: CodeScale?, bounds: CodeBounds = CodeBounds(), hasResidual: Bool = false) {
        super.init(output: output, bounds: bounds, hasResidual: hasResidual)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("QuantizedDense", APUS__NODE__OPERATOR_QUANTIZED_DENSE) {
        node throws(ApusError) in
        let m = node.quantized_dense.pointee
        return QuantizedDense(
            output: try CodeScale.optional(wire: node), bounds: CodeBounds(wire: m.bounds), hasResidual: m.has_residual != 0)
    }
    public override var entry: OperatorEntry { QuantizedDense.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.quantized_dense = wire.message(apus__quantized_dense__init) {
            $0.has_residual = hasResidual ? 1 : 0
            $0.bounds = bounds.encoded(wire)
        }
    }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0].shape, w = inputs[1].shape
        try inputs[0].requireCodes("x")
        guard x.rank >= 1 else { throw .shape("x \(inputs[0]) of rank 0, wanted 1 or more") }
        try requireWeights(inputs[1], rank: 2, packed: .panels4)
        guard x.last == w[0] else { throw .shape("x \(x) and W \(w): \(x.last) features, wanted \(w[0])") }
        guard w[1] >= 1 else { throw .shape("W \(w) without a column, wanted 1 or more") }
        _ = try x.checkedRows()
        return [try result(inputs, x.replacing(x.rank - 1, with: w[1]), depth: w[0])]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let w = site.inputs[1].shape, rows = try site.inputs[0].shape.checkedRows()
        return try plan(
            site, ck_conv_params(rows: rows, depth: w[0], columns: w[1]), depthwise: false,
            operations: 2 * Shape([rows, w[0], w[1]]).count)
    }

    public override func packedLayout(input: Int, type: TensorType) -> Layout? { input == 1 ? .panels4 : nil }
}
