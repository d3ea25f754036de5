import CKernels
import CModelFormat

/// y = act(x·W + b + r)
///
/// Each element of x·W is one chain of fused multiply-adds over ascending k; with N ≤ 64, where a row would wait for each
/// addition, the chain over even k plus the chain over odd k. A step that updates W may take that for either half of k and add.
///
/// Inputs: x [..., K]; W [K, N], plain or in panels; b [N] if `hasBias`; r, shaped like y, if `hasResidual`.
/// Output: y [..., N]. ONNX: Gemm without transposes, or MatMul + Add + activation.
public final class Dense: Operator {
    public let hasBias: Bool
    public let hasResidual: Bool
    public let activation: Activation

    public init(hasBias: Bool = true, hasResidual: Bool = false, activation: Activation = .none) {
        self.hasBias = hasBias
        self.hasResidual = hasResidual
        self.activation = activation
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Dense", APUS__NODE__OPERATOR_DENSE) { node throws(ApusError) in
        let m = node.dense.pointee
        return Dense(
            hasBias: m.has_bias != 0, hasResidual: m.has_residual != 0, activation: try Activation(wire: m.activation))
    }
    public override var entry: OperatorEntry { Dense.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.dense = wire.message(apus__dense__init) {
            $0.has_bias = hasBias ? 1 : 0
            $0.has_residual = hasResidual ? 1 : 0
            $0.activation = activation.encoded(wire)
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> {
        let count = 2 + (hasBias ? 1 : 0) + (hasResidual ? 1 : 0)
        return count...count
    }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], w = inputs[1]
        try x.require("x", minimumRank: 1, float: true)
        try w.require("W", rank: 2, layouts: .plainOrPanels)
        try w.requireWeights(for: x)
        guard x.shape.last == w.shape[0] else {
            throw .shape("x \(x.shape) and W \(w.shape): \(x.shape.last) features, wanted \(w.shape[0])")
        }
        let y = TensorType(x.dtype, x.shape.replacing(x.shape.rank - 1, with: w.shape[1]))
        var next = 2
        if hasBias {
            try inputs[next].require("bias", exactly: TensorType(x.dtype, [w.shape[1]]))
            next += 1
        }
        if hasResidual { try inputs[next].require("residual", exactly: y) }
        return [y]
    }

    // MARK: Kernel choice

    private static let pairedColumns = 64

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0], w = site.inputs[1]
        let k = w.shape[0], n = w.shape[1]
        let m = x.shape.product(0..<(x.shape.rank - 1))
        var product = ck_gemm_params()
        product.m = Int64(m)
        product.n = Int64(n)
        product.k = Int64(k)
        product.a_row_stride = Int64(k)
        product.a_k_stride = 1
        product.c_row_stride = Int64(n)
        product.batch = 1
        product.has_bias = hasBias ? 1 : 0
        product.has_residual = hasResidual ? 1 : 0
        product.paired = n <= Dense.pairedColumns ? 1 : 0
        product.activation = activation.params
        return try panelProduct(site, product, batches: 1, transposed: false)
    }

    public override func packedLayout(input: Int, type: TensorType) -> Layout? { input == 1 ? .panels : nil }

    // MARK: Gradient

    /// dx = dz·Wᵀ, dW = xᵀ·dz, db = Σ dz, dr = dz with dz = dy·act′(z). The activation is differentiated through the
    /// unfused product, so a training graph keeps it as its own node.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        guard activation == .none else { throw .unsupported("gradient of a fused activation") }
        let dy = try g.dy()
        var gradients: [Value?] = [
            g.wanted[0] ? try g(MatMul(transposeB: true), dy, g.inputs[1]) : nil,
            g.wanted[1] ? try g(DenseWeightGradient(), g.x, dy) : nil,
        ]
        if hasBias { gradients.append(try g(SumLike(), dy, g.inputs[2])) }
        if hasResidual { gradients.append(dy) }
        return gradients
    }
}
