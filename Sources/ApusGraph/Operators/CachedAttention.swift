import CKernels
import CModelFormat

/// Attention of the next elements of a stream over the last `capacity` ones, whose keys and values it keeps: causal
/// self-attention, element by element. Element t of a run, the stream's number position + t, enters slot (position + t) mod capacity;
/// then its query sees the elements that came no later and have a slot. Until all slots are taken y has the bits of
/// `Attention(isCausal: true)` over the whole sequence (Vaswani et al. 2017; Shazeer 2019).
///
/// Inputs: q [N, T, H·D], k [N, T, G·D], v [N, T, G·E], f32; keys and values as `keysShape` and `valuesShape` say, f32, f16 or
/// bf16; position i64 [], below 0 counting as 0. T is `capacity` at most. Outputs: y [N, T, H·E], the keys, the values.
///
/// If `hasScales`, keys and values are i8 codes: a slot's key is its codes · its key scale, the greatest magnitude / 127, its value
/// likewise. Inputs 6 and 7, and outputs 3 and 4, are then the scales of keys and of values, f32 as `scalesShape` says.
public final class CachedAttention: Operator {
    /// H, and G, which divides it.
    public let heads: Int
    public let keyValueHeads: Int
    public let scale: Float
    public let hasScales: Bool

    public init(heads: Int, keyValueHeads: Int? = nil, scale: Float, hasScales: Bool = false) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads ?? heads
        self.scale = scale
        self.hasScales = hasScales
    }

    /// The keys kept for heads of a size: panels of 16 slots, [N, G, ⌈capacity/16⌉, D, 16].
    public static func keysShape(batch: Int, heads: Int, size: Int, capacity: Int) -> [Int] {
        [batch, heads, (capacity + 15) / 16, size, 16]
    }

    /// The values kept: panels of 16 columns, [N, G, ⌈E/16⌉, capacity, 16].
    public static func valuesShape(batch: Int, heads: Int, size: Int, capacity: Int) -> [Int] {
        [batch, heads, (size + 15) / 16, capacity, 16]
    }

    /// The scales of codes, [N, G, capacity].
    public static func scalesShape(batch: Int, heads: Int, capacity: Int) -> [Int] { [batch, heads, capacity] }

    // MARK: Wire

    public static let entry = OperatorEntry("CachedAttention", APUS__NODE__OPERATOR_CACHED_ATTENTION) { node throws(ApusError) in
        let m = node.cached_attention.pointee
        return CachedAttention(
            heads: Int(m.heads), keyValueHeads: Int(m.key_value_heads), scale: m.scale, hasScales: m.has_scales != 0)
    }
    public override var entry: OperatorEntry { CachedAttention.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.cached_attention = wire.message(apus__cached_attention__init) {
            $0.heads = UInt32(heads)
            $0.key_value_heads = UInt32(keyValueHeads)
            $0.scale = scale
            $0.has_scales = hasScales ? 1 : 0
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { hasScales ? 8...8 : 6...6 }
    public override var outputCount: Int { hasScales ? 5 : 3 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let q = inputs[0], k = inputs[1], v = inputs[2], keys = inputs[3], values = inputs[4]
        let types = try Attention(heads: heads, keyValueHeads: keyValueHeads, scale: scale).outputTypes([q, k, v])
        guard k.shape[1] == q.shape[1] else { throw .shape("q \(q) and k \(k), wanted as many queries as keys") }
        guard hasScales ? keys.dtype == .i8 : keys.dtype == .f32 || keys.dtype == .f16 || keys.dtype == .bf16 else {
            throw .shape("keys \(keys), wanted \(hasScales ? "i8" : "f32, f16 or bf16")")
        }
        try keys.require("keys", rank: 5, dtype: keys.dtype)
        try values.require("values", rank: 5, dtype: keys.dtype)
        let capacity = values.shape[3], n = q.shape[0]
        let sizes = (key: k.shape[2] / keyValueHeads, value: v.shape[2] / keyValueHeads)
        let wanted = (
            Shape(CachedAttention.keysShape(batch: n, heads: keyValueHeads, size: sizes.key, capacity: capacity)),
            Shape(CachedAttention.valuesShape(batch: n, heads: keyValueHeads, size: sizes.value, capacity: capacity))
        )
        guard keys.shape == wanted.0, values.shape == wanted.1 else {
            throw .shape("keys \(keys) and values \(values), wanted \(wanted.0) and \(wanted.1)")
        }
        guard q.shape[1] <= capacity else {
            throw .shape("\(q.shape[1]) elements into \(capacity) slots, wanted \(capacity) or fewer")
        }
        try inputs[5].require("position", exactly: TensorType(.i64, []))
        guard hasScales else { return [types[0], keys, values] }
        let scales = TensorType(.f32, Shape(CachedAttention.scalesShape(batch: n, heads: keyValueHeads, capacity: capacity)))
        try inputs[6].require("scales of keys", exactly: scales)
        try inputs[7].require("scales of values", exactly: scales)
        return [types[0], keys, values, scales, scales]
    }

    public override func mayOverwrite(input: Int, output: Int) -> Bool {
        output > 0 && input == output + (output < 3 ? 2 : 3)
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let q = site.inputs[0].shape, v = site.inputs[2].shape, cache = site.inputs[3].dtype.ck
        let capacity = site.inputs[4].shape[3]
        var params = ck_attention_params()
        params.batch = Int64(q[0])
        params.queries = Int64(q[1])
        params.keys = Int64(capacity)
        params.heads = Int64(heads)
        params.group = Int64(heads / keyValueHeads)
        params.size = Int64(q[2] / heads)
        params.value_size = Int64(v[2] / keyValueHeads)
        params.scale = scale
        params.cache_dtype = Int32(cache.rawValue)
        params.product = ck_gemm(CK_F32, cache, site.isa)
        var operands = site.allOperands
        operands.append(.workspace(0))
        let launch = try Launch(
            ck_cached_attention(cache, site.isa), params, units: ck_cached_attention_units(&params), operands)
        return KernelPlan(
            [launch], workspaceBytes: Int(ck_attention_workspace(&params, Int32(site.lanes))),
            operations: 2 * Shape([q[0], q[1], capacity, heads, q[2] / heads + v[2] / keyValueHeads]).count)
    }
}
