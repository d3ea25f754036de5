import ApusGraph

/// Attention as ONNX Runtime's optimizers write it, by its ContribOperators.md.
let contributedAttentionOperators: [OnnxOperator] = [
    OnnxOperator("Attention", domain: "com.microsoft", attentionOfOneProduct),
    OnnxOperator("MultiHeadAttention", domain: "com.microsoft", multiHeadAttention),
    OnnxOperator("GroupQueryAttention", domain: "com.microsoft", groupQueryAttention),
    OnnxOperator("RotaryEmbedding", domain: "com.microsoft", rotaryEmbedding),
]

/// Attention over Q, K and V that are one product of the input side by side.
private func attentionOfOneProduct(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    guard try !n.flag("do_rotary"), try !n.flag("past_present_share_buffer") else {
        throw .unsupported("Attention with do_rotary or past_present_share_buffer")
    }
    let x = try n.term(0), w = try n.term(1)
    guard x.rank == 3, w.rank == 2 else { throw .shape("x \(x.shape) and weights \(w.shape), wanted ranks 3 and 2") }
    var product = try n.g.product(x, w)
    if n.has(2) { product = try n.g.add(product, try n.term(2)) }
    let third = try w.extent(1) / 3
    let parts = try pieces(n, product, try n.ints("qkv_hidden_sizes") ?? [third, third, third])
    var past: (Term, Term)?
    if n.has(4) {
        let both = try n.term(4)
        func half(_ i: Int) throws(ApusError) -> Term { try n.g.squeeze(try n.g.slice(both, axis: 0, i, i + 1), [0]) }
        guard both.rank == 5 else { throw .shape("past \(both.shape), wanted rank 5") }
        past = (try half(0), try half(1))
    }
    let y = try attention(n, parts[0], parts[1], parts[2], mask: 3, bias: 5, past: past)
    guard n.node.outputs.count > 1 else { return [ImportedValue(y[0])] }
    let present = try n.g.concat([try n.g.unsqueeze(y[1], [0]), try n.g.unsqueeze(y[2], [0])], axis: 0)
    return [ImportedValue(y[0]), ImportedValue(present)]
}

/// Attention over Q, K and V apart, all in one, or K and V in one, or K and V in heads already.
private func multiHeadAttention(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    guard !n.has(8) && !n.has(9) else { throw .unsupported("MultiHeadAttention over a shared buffer of earlier keys") }
    var q = try n.term(0), k: Term, v: Term
    if q.rank == 5 {
        let parts = try unpacked(n, q, 3)
        (q, k, v) = (parts[0], parts[1], parts[2])
    } else if n.has(2) {
        (k, v) = (try n.term(1), try n.term(2))
    } else {
        let parts = try unpacked(n, try n.term(1), 2)
        (k, v) = (parts[0], parts[1])
    }
    guard q.rank == 3 else { throw .shape("query \(q.shape), wanted rank 3 or 5") }
    if n.has(3) {
        let bias = try n.term(3), width = try q.extent(2)
        q = try n.g.add(q, try n.g.slice(bias, axis: 0, 0, width))
        if k.rank == 3 {
            k = try n.g.add(k, try n.g.slice(bias, axis: 0, width, 2 * width))
            v = try n.g.add(v, try n.g.slice(bias, axis: 0, 2 * width, try bias.extent(0)))
        }
    }
    let past = n.has(6) && n.has(7) ? (try n.term(6), try n.term(7)) : nil
    let outputs = try attention(n, q, k, v, mask: 4, bias: 5, past: past)
    guard n.node.outputs.count <= 3 else { throw .unsupported("the scores of MultiHeadAttention as an output") }
    return outputs.prefix(3).map { ImportedValue($0) }
}

/// [batch, length, heads, count, size] as `count` times [batch, length, heads·size].
private func unpacked(_ n: NodeContext, _ x: Term, _ count: Int) throws(ApusError) -> [Term] {
    guard x.rank == 5, try x.extent(3) == count else {
        throw .shape("packed \(x.shape), wanted [batch, length, heads, \(count), size]")
    }
    var parts: [Term] = []
    for i in 0..<count {
        let part = try n.g.slice(x, axis: 3, i, i + 1)
        parts.append(try n.g.reshape(part, to: part.shapes.map { [$0[0], $0[1], $0[2] * $0[4]] }))
    }
    return parts
}

/// The columns of [batch, length, columns], so many to a part.
private func pieces(_ n: NodeContext, _ x: Term, _ sizes: [Int]) throws(ApusError) -> [Term] {
    guard sizes.count == 3, sizes.allSatisfy({ $0 > 0 }), try x.extent(2) == sizes[0] + sizes[1] + sizes[2] else {
        throw .shape("\(x.shape) in parts of \(sizes)")
    }
    var parts: [Term] = [], start = 0
    for size in sizes {
        parts.append(try n.g.slice(x, axis: 2, start, start + size))
        start += size
    }
    return parts
}

/// Attention in `num_heads` heads, with what causality and the inputs `mask` and `bias` add to the scores: its result, the keys and
/// the values.
private func attention(
    _ n: NodeContext, _ q: Term, _ k: Term, _ v: Term, mask: Int, bias: Int, past: (Term, Term)?
) throws(ApusError) -> [Term] {
    let count = try n.int("num_heads"), q = try n.g.heads(q, count)
    var keys = k.rank == 4 ? k : try n.g.heads(k, count), values = v.rank == 4 ? v : try n.g.heads(v, count)
    let earlier = try n.g.join(past, &keys, &values)
    var added = n.has(bias) ? try n.term(bias) : nil
    func add(_ forbids: Term) throws(ApusError) {
        added = try added.map { x throws(ApusError) in try n.g.add(x, forbids) } ?? forbids
    }
    if n.has(mask) { try add(try penalty(n, try n.term(mask), batch: q.extents(0), keys: keys.extents(2), q.dtype)) }
    if try n.flag("unidirectional") {
        let distance = try n.g.distances(queries: q.extents(2), keys: keys.extents(2), past: earlier)
        try add(try n.g.penalty(allowed: try n.g.greaterOrEqual(distance, try n.g.scalar(0, .i64)), q.dtype))
    }
    let scale = n.hasAttribute("scale") ? Double(try n.float("scale")) : nil
    return [try n.g.merged(try n.g.attention(q, keys, values, added, scale: scale)), keys, values]
}

/// A mask [batch] of lengths, or [batch, keys], [batch, queries, keys] or [batch, 1, queries, keys] of 0 where forbidden, as what
/// is added to the scores.
private func penalty(_ n: NodeContext, _ mask: Term, batch: [Int], keys: [Int], _ dtype: DType) throws(ApusError) -> Term {
    var allowed: Term
    switch mask.rank {
    case 1:
        guard mask.extents(0) == batch else {
            throw .unsupported("a mask of \(mask.shape[0]) positions, wanted the length of each of \(batch[0]) sequences")
        }
        allowed = try n.g.within(mask, keys: keys)
    case 2...4:
        let last = mask.rank - 1, isWhole = mask.extents(last) == keys
        guard isWhole || !mask.isFixed(last) else { throw .shape("mask \(mask.shape) for \(keys[0]) keys") }
        // Of a dimension of its own, which is as long as past and new keys are together.
        allowed = try n.g.cast(isWhole ? mask : try n.g.gather(mask, try n.g.range(keys), axis: last), to: .bool)
        if mask.rank < 4 { allowed = try n.g.unsqueeze(allowed, mask.rank == 2 ? [1, 2] : [1]) }
    default: throw .shape("mask \(mask.shape), wanted rank 1 ... 4")
    }
    return try n.g.penalty(allowed: allowed, dtype, forbidden: Double(try n.float("mask_filter_value", -10000)))
}

/// ONNX's, with the positions before the tables, or one that the sequences begin at.
private func rotaryEmbedding(_ n: NodeContext) throws(ApusError) -> Term {
    guard try !n.flag("is_packed_batching"), try n.float("scale", 1) == 1 else {
        throw .unsupported("RotaryEmbedding of packed sequences or with a scale")
    }
    var x = try n.term(0), positions = try n.term(1)
    let cos = try n.term(2), sin = try n.term(3)
    guard x.rank == 3 || x.rank == 4, cos.rank == 2 else { throw .shape("x \(x.shape) and cosines \(cos.shape)") }
    let isFlat = x.rank == 3, partial = try n.int("rotary_embedding_dim", 0)
    if isFlat {
        let heads = try n.int("num_heads", 0)
        x = try n.g.heads(x, heads > 0 && partial > 0 ? heads : try x.extent(2) / max(1, 2 * cos.extent(1)))
    }
    if positions.rank == 1 {
        positions = try n.g.add(try n.g.unsqueeze(positions, [1]), try n.g.range(x.extents(2)))
        positions = try n.g.expand(positions, to: x.shapes.map { [$0[0], $0[2]] })
    }
    let attributes = ["interleaved": OnnxAttribute.int(try n.int("interleaved", 0)), "rotary_embedding_dim": .int(partial)]
    let y = try n.call("RotaryEmbedding", [x, cos, sin, positions], attributes)[0]
    return isFlat ? try n.g.merged(y) : y
}
