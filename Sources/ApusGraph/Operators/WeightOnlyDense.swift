import CKernels
import CModelFormat

/// y = act(x·((W − z)·s) + b + r): real activations over integer weights, of which blocks of rows share a scale. ONNX: MatMulNBits,
/// or MatMul over DequantizeLinear.
///
/// With `dynamicActivations` W is i4 in blocks, each row of x is quantized by its greatest magnitude when it is run, and a block's
/// sums are of integers: with q the codes of a row and t its scale, y = act(t·Σ s·(q·(W − z)) + b + r).
///
/// Inputs: x [..., K], f32; W [K, N], i8 or i4, plain or in int8 panels; s [⌈K/B⌉, N], f16; z, i8, shaped like s, if
/// `hasZeroPoints`; b [N], f32, if `hasBias`; r, shaped like y, if `hasResidual`. B is `blockSize`, or K where that is 0.
/// Output: y [..., N], f32.
/// Docs/Quantization.md, section 7.
public final class WeightOnlyDense: Operator {
    /// 32, 64 or 128; 0: all rows of W.
    public let blockSize: Int
    public let hasZeroPoints, hasBias, hasResidual, dynamicActivations: Bool
    public let activation: Activation

    public init(
        blockSize: Int = 0, hasZeroPoints: Bool = false, hasBias: Bool = true, hasResidual: Bool = false,
        activation: Activation = .none, dynamicActivations: Bool = false
    ) {
        self.blockSize = blockSize
        self.hasZeroPoints = hasZeroPoints
        self.hasBias = hasBias
        self.hasResidual = hasResidual
        self.activation = activation
        self.dynamicActivations = dynamicActivations
    }

    // MARK: Wire

    public static let entry = OperatorEntry("WeightOnlyDense", APUS__NODE__OPERATOR_WEIGHT_ONLY_DENSE) {
        node throws(ApusError) in
        let m = node.weight_only_dense.pointee
        return WeightOnlyDense(
            blockSize: Int(m.block_size), hasZeroPoints: m.has_zero_points != 0, hasBias: m.has_bias != 0,
            hasResidual: m.has_residual != 0, activation: try Activation(wire: m.activation),
            dynamicActivations: m.dynamic_activations != 0)
    }
    public override var entry: OperatorEntry { WeightOnlyDense.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.weight_only_dense = wire.message(apus__weight_only_dense__init) {
            $0.block_size = UInt32(clamping: blockSize)
            $0.has_zero_points = hasZeroPoints ? 1 : 0
            $0.has_bias = hasBias ? 1 : 0
            $0.has_residual = hasResidual ? 1 : 0
            $0.activation = activation.encoded(wire)
            $0.dynamic_activations = dynamicActivations ? 1 : 0
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> {
        let count = 3 + (hasZeroPoints ? 1 : 0) + (hasBias ? 1 : 0) + (hasResidual ? 1 : 0)
        return count...count
    }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], w = inputs[1]
        try x.require("x", minimumRank: 1, dtype: .f32)
        guard w.dtype == .i8 || w.dtype == .i4 else { throw .shape("W of type \(w.dtype.name), wanted i8 or i4") }
        guard w.shape.rank == 2 else { throw .shape("W \(w) of rank \(w.shape.rank), wanted 2") }
        guard w.layout == .plain || w.layout == .panels4 else {
            throw .shape("W \(w) in a layout of other weights, wanted plain or int8 panels")
        }
        guard w.quantization == nil else { throw .shape("W \(w) is quantized by its type, wanted scales as an input") }
        guard x.shape.last == w.shape[0] else {
            throw .shape("x \(x.shape) and W \(w.shape): \(x.shape.last) features, wanted \(w.shape[0])")
        }
        for extent in [w.shape[0], w.shape[1]] where extent < 1 || extent > SlidingWindow.maximumExtent {
            throw .shape("extent \(extent) of W \(w), wanted 1 ... \(SlidingWindow.maximumExtent)")
        }
        guard [0, 32, 64, 128].contains(blockSize) else {
            throw .shape("blocks of \(blockSize) rows, wanted 32, 64, 128, or 0 for all")
        }
        guard !dynamicActivations || w.dtype == .i4 && blockSize > 0 else {
            throw .shape("dynamic activations with W of type \(w.dtype.name), blocks of \(blockSize) rows, wanted i4 in blocks")
        }
        _ = try x.shape.checkedRows()
        let blocks = blockSize == 0 ? 1 : (w.shape[0] + blockSize - 1) / blockSize
        try inputs[2].require("scales", exactly: TensorType(.f16, [blocks, w.shape[1]]))
        if hasZeroPoints { try inputs[3].require("zero points", exactly: TensorType(.i8, [blocks, w.shape[1]])) }
        let y = TensorType(.f32, x.shape.replacing(x.shape.rank - 1, with: w.shape[1]))
        try Epilogue(hasBias: hasBias, hasResidual: hasResidual).check(inputs, from: hasZeroPoints ? 4 : 3, result: y)
        return [y]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let w = site.inputs[1].shape, rows = try site.inputs[0].shape.checkedRows()
        var product = ck_product8_params()
        product.geometry = ck_conv_params(rows: rows, depth: w[0], columns: w[1])
        var steps = IntegerProduct(site, product)
        var operands = site.allOperands
        if dynamicActivations { try steps.quantizeRows(rows, depth: w[0], &operands, scalesAt: 3) }
        operands[1] = try steps.packed(input: 1)
        var params = ck_weight_only_params()
        params.m = Int64(rows)
        params.n = Int64(w[1])
        params.k = Int64(w[0])
        params.block = Int64(blockSize == 0 ? w[0] : blockSize)
        params.has_zeros = hasZeroPoints ? 1 : 0
        params.has_bias = hasBias ? 1 : 0
        params.has_residual = hasResidual ? 1 : 0
        params.activation = activation.params
        let task = dynamicActivations ? ck_weight_only_codes(site.isa) : ck_weight_only(site.inputs[1].dtype.ck, site.isa)
        steps.append(try Launch(task, params, units: ck_weight_only_units(&params), operands))
        return KernelPlan(
            steps.launches, workspaceBytes: steps.workspace, operations: 2 * Shape([rows, w[0], w[1]]).count,
            sharing: dynamicActivations ? .preparedInput : .none)
    }

    public override func packedLayout(input: Int, type: TensorType) -> Layout? { input == 1 ? .panels4 : nil }
}
