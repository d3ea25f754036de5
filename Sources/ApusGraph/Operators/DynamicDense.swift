import CKernels
import CModelFormat

/// y = act(x·W·w + b + r) over integers: each row of x is quantized by its greatest magnitude when it is run. ONNX:
/// DynamicQuantizeLinear and MatMulInteger do so for a whole tensor.
///
/// Inputs: x [..., K], f32; W [K, N], i8, plain or in int8 panels; c [N], i32, −128·Σ W over each column; w [N], f32, the
/// scales of the columns; b [N], f32, if `hasBias`; r, shaped like y, if `hasResidual`. Output: y [..., N], f32. Docs/Quantization.md,
/// section 8.
public final class DynamicDense: Operator {
    public let hasBias, hasResidual: Bool
    public let activation: Activation

    public init(hasBias: Bool = true, hasResidual: Bool = false, activation: Activation = .none) {
        self.hasBias = hasBias
        self.hasResidual = hasResidual
        self.activation = activation
    }

    // MARK: Wire

    public static let entry = OperatorEntry("DynamicDense", APUS__NODE__OPERATOR_DYNAMIC_DENSE) {
        node throws(ApusError) in
        let m = node.dynamic_dense.pointee
        return DynamicDense(
            hasBias: m.has_bias != 0, hasResidual: m.has_residual != 0, activation: try Activation(wire: m.activation))
    }
    public override var entry: OperatorEntry { DynamicDense.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.dynamic_dense = wire.message(apus__dynamic_dense__init) {
            $0.has_bias = hasBias ? 1 : 0
            $0.has_residual = hasResidual ? 1 : 0
            $0.activation = activation.encoded(wire)
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> {
        let count = 4 + (hasBias ? 1 : 0) + (hasResidual ? 1 : 0)
        return count...count
    }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], w = inputs[1]
        try x.require("x", minimumRank: 1, dtype: .f32)
        guard w.dtype == .i8 && w.quantization == nil else { throw .shape("W \(w), wanted i8 with its scales as an input") }
        guard w.shape.rank == 2 else { throw .shape("W \(w) of rank \(w.shape.rank), wanted 2") }
        guard w.layout == .plain || w.layout == .panels4 else {
            throw .shape("W \(w) in a layout of other weights, wanted plain or int8 panels")
        }
        guard x.shape.last == w.shape[0] else {
            throw .shape("x \(x.shape) and W \(w.shape): \(x.shape.last) features, wanted \(w.shape[0])")
        }
        guard w.shape[0] >= 1 && w.shape[0] <= QuantizedProduct.maximumDepth && w.shape[1] >= 1 else {
            throw .shape("W \(w), wanted 1 ... \(QuantizedProduct.maximumDepth) rows and a column")
        }
        _ = try x.shape.checkedRows()
        try inputs[2].require("sums of columns", exactly: TensorType(.i32, [w.shape[1]]))
        try inputs[3].require("scales", exactly: TensorType(.f32, [w.shape[1]]))
        let y = TensorType(.f32, x.shape.replacing(x.shape.rank - 1, with: w.shape[1]))
        try Epilogue(hasBias: hasBias, hasResidual: hasResidual).check(inputs, from: 4, result: y)
        return [y]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let w = site.inputs[1].shape, rows = try site.inputs[0].shape.checkedRows()
        var params = ck_product8_params()
        params.geometry = ck_conv_params(rows: rows, depth: w[0], columns: w[1])
        params.real_output = 1
        params.has_row_scales = 1
        params.has_bias = hasBias ? 1 : 0
        params.has_residual = hasResidual ? 1 : 0
        params.activation = activation.params
        var product = IntegerProduct(site, params)
        var operands = site.allOperands
        try product.quantizeRows(rows, depth: w[0], &operands, scalesAt: 4)
        let weights = try product.packed(input: 1)
        try product.multiply(operands[0], weights, operands)
        return KernelPlan(
            product.launches, workspaceBytes: product.workspace, operations: 2 * Shape([rows, w[0], w[1]]).count,
            sharing: .preparedInput)
    }

    public override func packedLayout(input: Int, type: TensorType) -> Layout? { input == 1 ? .panels4 : nil }
}
