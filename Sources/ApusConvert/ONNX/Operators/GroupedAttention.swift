import ApusGraph

/// com.microsoft.GroupQueryAttention: causal attention of heads that share keys and values, after those of a past, with rotary
/// positions that go on where a sequence's past ends.
///
/// The past of a sequence has no padding, which ONNX Runtime would write over: where `seqlens_k` says that it has some, the
/// sequence's results are NaN.
func groupQueryAttention(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    try requireKnownForm(n)
    let count = try n.int("num_heads"), shared = try n.int("kv_num_heads")
    guard shared >= 1, count >= shared, count % shared == 0 else { throw .shape("\(count) heads over \(shared)") }
    var (q, k, v) = try projections(n, count, shared)
    let lengths = try n.g.add(try n.g.cast(try n.term(5), to: .i64), try n.g.scalar(1, .i64))
    guard lengths.rank == 1 else { throw .shape("seqlens_k \(lengths.shape), wanted [batch]") }
    // Where the new elements of each sequence begin.
    let begins = try n.g.maximum(
        try n.g.sub(lengths, try n.g.extentScalar(q.extents(2), .i64)), try n.g.scalar(0, .i64))
    if try n.flag("do_rotary") {
        let positions = try n.g.add(try n.g.unsqueeze(begins, [1]), try n.g.range(q.extents(2)))
        let attributes = ["interleaved": OnnxAttribute.int(try n.int("rotary_interleaved", 0))]
        func rotated(_ x: Term) throws(ApusError) -> Term {
            let cos = try n.term(7), sin = try n.term(8)
            guard cos.rank == 2 else { throw .shape("cosines \(cos.shape), wanted [positions, pairs]") }
            let size = OnnxAttribute.int(2 * (try cos.extent(1)))
            return try n.call(
                "RotaryEmbedding", [x, cos, sin, positions], attributes.merging(["rotary_embedding_dim": size]) { $1 })[0]
        }
        (q, k) = (try rotated(q), try rotated(k))
    }
    let past = try n.g.join(n.has(3) && n.has(4) ? (try n.term(3), try n.term(4)) : nil, &k, &v)
    let bias = try bias(n, q, keys: k.extents(2), lengths, begins, past)
    let scale = try n.float("scale", 0)
    let y = try n.g.attention(
        q, try n.g.repeated(k, count / shared), try n.g.repeated(v, count / shared), bias, scale: scale == 0 ? nil : Double(scale))
    return [try n.g.merged(y), k, v].map { ImportedValue($0) }
}

private func requireKnownForm(_ n: NodeContext) throws(ApusError) {
    for name in ["smooth_softmax", "sliding_window_cache", "qk_output"] where try n.int(name, 0) > 0 {
        throw .unsupported("GroupQueryAttention with \(name)")
    }
    guard try n.float("softcap", 0) == 0, try n.string("k_quant_type", "NONE") == "NONE",
        try n.string("v_quant_type", "NONE") == "NONE"
    else { throw .unsupported("GroupQueryAttention with softcap or a quantized past") }
    for (input, name) in [(9, "position_ids"), (11, "head_sink"), (14, "q_norm_weight"), (15, "k_norm_weight")] where n.has(input) {
        throw .unsupported("GroupQueryAttention with \(name)")
    }
}

/// Q, K and V in heads, which the first input may hold side by side.
private func projections(_ n: NodeContext, _ count: Int, _ shared: Int) throws(ApusError) -> (Term, Term, Term) {
    let q = try n.term(0)
    guard q.rank == 3 else { throw .shape("query \(q.shape), wanted rank 3") }
    if n.has(1) && n.has(2) {
        return (try n.g.heads(q, count), try n.g.heads(try n.term(1), shared), try n.g.heads(try n.term(2), shared))
    }
    let all = count + 2 * shared, width = try q.extent(2)
    guard width % all == 0 else { throw .shape("query \(q.shape), wanted a multiple of \(all) columns") }
    let size = width / all
    func part(_ start: Int, _ heads: Int) throws(ApusError) -> Term {
        try n.g.heads(try n.g.slice(q, axis: 2, start * size, (start + heads) * size), heads)
    }
    return (try part(0, count), try part(count, shared), try part(count + shared, shared))
}

/// What is added to the scores: −∞ behind a query, before its window and beyond its sequence, and `attention_bias`.
private func bias(
    _ n: NodeContext, _ q: Term, keys: [Int], _ lengths: Term, _ begins: Term, _ past: [Int]
) throws(ApusError) -> Term {
    var bias = try n.g.penalty(allowed: try n.g.within(lengths, keys: keys), q.dtype)
    if try n.int("causal", 1) != 0 {
        let distance = try n.g.distances(queries: q.extents(2), keys: keys, past: past), window = try n.int("local_window_size", -1)
        bias = try n.g.add(
            bias, try n.g.penalty(allowed: try n.g.greaterOrEqual(distance, try n.g.scalar(0, .i64)), q.dtype))
        if window > 0 {
            let isNear = try n.g.less(distance, try n.g.scalar(Double(window), .i64))
            bias = try n.g.add(bias, try n.g.penalty(allowed: isNear, q.dtype))
        }
    }
    if past.contains(where: { $0 > 0 }) {
        let isWhole = try n.g.equal(try n.g.perSequence(begins), try n.g.extentScalar(past, .i64))
        bias = try n.g.add(bias, try n.g.penalty(allowed: isWhole, q.dtype, forbidden: .nan))
    }
    return n.has(10) ? try n.g.add(bias, try n.term(10)) : bias
}
