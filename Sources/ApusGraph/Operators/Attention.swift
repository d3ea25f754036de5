import CKernels
import CModelFormat

/// Scaled dot-product attention in heads: y[i] = Σ e[j]·v[j] / Σ e[j], e[j] = exp(s[j] − max s),
/// s[j] = scale·(q[i]·k[j]) + mask[j], over the keys j that query i of a head sees. ONNX: Attention, without its caches
/// (Vaswani et al. 2017).
///
/// Inputs, f32, and f64 to check gradients: q [N, T, H·D]; k [N, S, G·D]; v [N, S, G·E]; mask [N or 1, H or 1, T or 1, S] if `hasMask`. G divides H: H / G
/// heads in a row share a head of keys and values. Output: y [N, T, H·E].
public final class Attention: Operator {
    /// H, and G.
    public let heads: Int
    public let keyValueHeads: Int
    public let scale: Float
    /// Query i sees the keys 0 ... i + S − T; then S ≥ T.
    public let isCausal: Bool
    public let hasMask: Bool

    public init(heads: Int, keyValueHeads: Int? = nil, scale: Float, isCausal: Bool = false, hasMask: Bool = false) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads ?? heads
        self.scale = scale
        self.isCausal = isCausal
        self.hasMask = hasMask
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Attention", APUS__NODE__OPERATOR_ATTENTION) { node throws(ApusError) in
        Attention(wire: node.attention)
    }
    public override var entry: OperatorEntry { Attention.entry }

    convenience init(wire: UnsafeMutablePointer<Apus__Attention>) {
        let m = wire.pointee
        self.init(
            heads: Int(m.heads), keyValueHeads: Int(m.key_value_heads), scale: m.scale, isCausal: m.causal != 0,
            hasMask: m.has_mask != 0)
    }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) { node.attention = encoded(wire) }

    func encoded(_ wire: WireArena) -> UnsafeMutablePointer<Apus__Attention> {
        wire.message(apus__attention__init) {
            $0.heads = UInt32(heads)
            $0.key_value_heads = UInt32(keyValueHeads)
            $0.scale = scale
            $0.causal = isCausal ? 1 : 0
            $0.has_mask = hasMask ? 1 : 0
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { hasMask ? 4...4 : 3...3 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let q = inputs[0], k = inputs[1], v = inputs[2]
        try q.require("q", rank: 3, float: true)
        try k.require("k", rank: 3, dtype: q.dtype)
        try v.require("v", rank: 3, dtype: q.dtype)
        guard keyValueHeads > 0, heads > 0, heads % keyValueHeads == 0 else {
            throw .shape("\(heads) heads and \(keyValueHeads) of keys and values, wanted a positive multiple")
        }
        guard q.shape[2] % heads == 0, v.shape[2] % keyValueHeads == 0 else {
            throw .shape("q \(q) and v \(v), wanted widths divisible by \(heads) and \(keyValueHeads) heads")
        }
        let n = q.shape[0], s = k.shape[1], size = q.shape[2] / heads
        guard k.shape == [n, s, size &* keyValueHeads], v.shape[0] == n, v.shape[1] == s else {
            throw .shape("q \(q), k \(k) and v \(v), wanted k [\(n), keys, \(size &* keyValueHeads)] and v [\(n), keys, …]")
        }
        guard !isCausal || s >= q.shape[1] else {
            throw .shape("\(s) keys for \(q.shape[1]) causal queries, wanted as many or more")
        }
        if hasMask {
            let wanted = Shape([n, heads, q.shape[1], s])
            try inputs[3].require("mask", rank: 4, dtype: q.dtype)
            for axis in 0..<4 where inputs[3].shape[axis] != wanted[axis] && (axis == 3 || inputs[3].shape[axis] != 1) {
                throw .shape("mask \(inputs[3]), wanted \(wanted) or 1 before the last extent")
            }
        }
        return [TensorType(q.dtype, [n, q.shape[1], v.shape[2] / keyValueHeads &* heads])]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let q = site.inputs[0].shape, k = site.inputs[1].shape, v = site.inputs[2].shape
        var params = params(site)
        let entries = q[0] &* keyValueHeads, element = site.inputs[0].dtype.bitWidth / 8
        let keyBytes = Attention.bytes(entries, ck_panels_size(params.size, params.keys), element)
        let valueBytes = Attention.bytes(entries, ck_panels_size(params.keys, params.value_size), element)
        let scratch = Int(ck_attention_workspace(&params, Int32(site.lanes)))
        var operands = site.allOperands
        operands[1] = .workspace(0)
        operands[2] = .workspace(keyBytes)
        operands.append(.workspace(keyBytes + valueBytes))
        return KernelPlan(
            [
                try packed(site, k, depth: params.size, columns: params.keys, transposed: true, .input(1), at: 0),
                try packed(site, v, depth: params.keys, columns: params.value_size, transposed: false, .input(2), at: keyBytes),
                try Launch(ck_attention(site.dtype, site.isa), params, units: ck_attention_units(&params), operands),
            ], workspaceBytes: keyBytes + valueBytes + scratch,
            operations: 2 * Shape([q[0], q[1], k[1], heads, q[2] / heads + v[2] / keyValueHeads]).count)
    }

    /// What the kernels of attention and of its gradient are told.
    func params(_ site: KernelSite) -> ck_attention_params {
        let q = site.inputs[0].shape, k = site.inputs[1].shape, v = site.inputs[2].shape
        var params = ck_attention_params()
        params.batch = Int64(q[0])
        params.queries = Int64(q[1])
        params.keys = Int64(k[1])
        params.heads = Int64(heads)
        params.group = Int64(heads / keyValueHeads)
        params.size = Int64(q[2] / heads)
        params.value_size = Int64(v[2] / keyValueHeads)
        params.scale = scale
        params.causal = isCausal ? 1 : 0
        params.product = ck_gemm(site.dtype, site.dtype, site.isa)
        if hasMask {
            let mask = site.inputs[3].shape
            params.has_mask = 1
            params.mask_query_stride = mask[2] == 1 ? 0 : Int64(mask[3])
            params.mask_head_stride = mask[1] == 1 ? 0 : Int64(mask[2] &* mask[3])
            params.mask_batch_stride = mask[0] == 1 ? 0 : Int64(mask[1] &* mask[2] &* mask[3])
        }
        return params
    }

    /// Bytes of as many panels, in whole cache lines.
    private static func bytes(_ entries: Int, _ elements: Int64, _ element: Int) -> Int {
        (Shape([entries, Int(elements), element]).count + 63) / 64 * 64
    }

    /// Every head of x [N, S, heads · size] as a matrix in panels; `transposed`: of its columns.
    private func packed(
        _ site: KernelSite, _ x: Shape, depth: Int64, columns: Int64, transposed: Bool, _ operand: KernelOperand, at offset: Int
    ) throws(ApusError) -> Launch {
        var pack = ck_panels_params()
        pack.k = depth
        pack.n = columns
        pack.row_stride = transposed ? 1 : Int64(x[2])
        pack.column_stride = transposed ? Int64(x[2]) : 1
        pack.batch = Int64(x[0] &* keyValueHeads)
        pack.batch_stride = Int64(x[1] &* x[2])
        pack.group = Int64(keyValueHeads)
        pack.group_stride = Int64(x[2] / keyValueHeads)
        return try Launch(
            ck_pack_panels(site.dtype, site.dtype, site.isa), pack, units: ck_panels_units(&pack), [operand, .workspace(offset)])
    }

    // MARK: Gradient

    /// Of q, k and v; a mask says what may be seen and is not trained.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        guard !hasMask || !g.wanted[3] else { throw .unsupported("the gradient of a mask of attention") }
        let gradients = try g.builder.node(AttentionGradient(self), g.inputs + [try g.dy()])
        return gradients.map { $0 } + (hasMask ? [nil] : [])
    }
}
