import ApusGraph

let attentionOperators: [OnnxOperator] = [
    OnnxOperator("Attention", attention),
    OnnxOperator("RotaryEmbedding", rotaryEmbedding),
]

/// softmax(Q·Kᵀ·scale + bias)·V in heads, with a cache of earlier keys and values.
private func attention(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let isFlat = try n.rank(0) == 3
    let q = try heads(n, 0, "q_num_heads")
    var k = try heads(n, 1, "kv_num_heads"), v = try heads(n, 2, "kv_num_heads")
    let past = try n.g.join(n.has(4) && n.has(5) ? (try n.term(4), try n.term(5)) : nil, &k, &v)
    let present = [k, v]
    let groups = try q.extent(1) / max(1, try k.extent(1))
    k = try n.g.repeated(k, groups)
    v = try n.g.repeated(v, groups)

    let scale = n.hasAttribute("scale") ? Double(try n.float("scale")) : 1 / Double(try q.extent(3)).squareRoot()
    let factor = try n.g.scalar(scale.squareRoot(), like: q)
    var scores = try n.g.matMul(try n.g.mul(q, factor), try n.g.mul(k, factor), transposeB: true)
    var exposed = scores
    let mode = try n.int("qk_matmul_output_mode", 0), cap = Double(try n.float("softcap", 0))
    if cap > 0 {
        scores = try n.g.mul(
            try n.g.tanh(try n.g.div(scores, try n.g.scalar(cap, like: q))), try n.g.scalar(cap, like: q))
        exposed = scores
    }
    let bias = try attentionBias(n, q, keys: k, past: past)
    if let bias { scores = try n.g.add(scores, bias) }
    if mode == 2 { exposed = scores }
    let precision = try n.elementType("softmax_precision", scores.dtype)
    var weights = try n.g.softmax(try n.g.cast(scores, to: precision), axis: -1)
    // Of causality alone every query sees a key.
    let blinds = n.has(3) || n.has(6) || n.hasAttribute("left_window_size") || n.hasAttribute("right_window_size")
    if let bias, blinds {
        // A query without keys gives zeros.
        let largest = try n.g.reduce(.max, bias, [bias.rank - 1], keep: true)
        let isMasked = try n.g.equal(largest, try n.g.scalar(-.infinity, like: largest))
        weights = try n.g.select(isMasked, try n.g.scalar(0, like: weights), weights)
    }
    weights = try n.g.cast(weights, to: q.dtype)
    if mode == 3 { exposed = weights }
    var y = try n.g.matMul(weights, v)
    if isFlat { y = try n.g.merged(y) }
    return [ImportedValue(y), ImportedValue(present[0]), ImportedValue(present[1]), ImportedValue(exposed)]
}

/// An input as [batch, heads, length, size].
private func heads(_ n: NodeContext, _ input: Int, _ attribute: String) throws(ApusError) -> Term {
    let x = try n.term(input)
    guard x.rank == 3 || x.rank == 4 else { throw .shape("\(x.shape) in heads, wanted rank 3 or 4") }
    return x.rank == 3 ? try n.g.heads(x, try n.int(attribute)) : x
}

/// What is added to the scores: the mask, and −∞ where causality, the window or the length of a sequence forbids a key.
private func attentionBias(_ n: NodeContext, _ q: Term, keys: Term, past: [Int]) throws(ApusError) -> Term? {
    var parts: [Term] = []
    if n.has(3) {
        var mask = try n.term(3)
        guard mask.rank > 0 else { throw .shape("a mask without axes") }
        if mask.extents(mask.rank - 1) != keys.extents(2) {
            let missing = try keys.extent(2) - mask.extent(mask.rank - 1)
            guard missing > 0 else { throw .shape("mask \(mask.shape) for \(try keys.extent(2)) keys") }
            var after = [Int](repeating: 0, count: mask.rank)
            after[mask.rank - 1] = missing
            let isBool = mask.dtype == .bool
            let padded = try n.g.pad(
                isBool ? try n.g.cast(mask, to: .u8) : mask, after.map { _ in 0 }, after, value: isBool ? 0 : -.infinity)
            mask = try n.g.cast(padded, to: mask.dtype)
        }
        parts.append(mask.dtype == .bool ? try n.g.penalty(allowed: mask, q.dtype) : mask)
    }
    let isCausal = try n.flag("is_causal")
    let left = try n.int("left_window_size", -1), right = try n.int("right_window_size", -1)
    if isCausal || left >= 0 || right >= 0 {
        var distance = try n.g.distances(queries: q.extents(2), keys: keys.extents(2), past: past)
        if n.has(6) && !n.has(4) {
            let rows = try n.g.scalar(Double(try q.extent(2)), .i64)
            distance = try n.g.add(distance, try n.g.sub(try n.g.perSequence(try n.term(6)), rows))
        }
        if isCausal {
            parts.append(try n.g.penalty(allowed: try n.g.greaterOrEqual(distance, try n.g.scalar(0, .i64)), q.dtype))
        }
        if left >= 0 {
            parts.append(try n.g.penalty(allowed: try n.g.lessOrEqual(distance, try n.g.scalar(Double(left), .i64)), q.dtype))
        }
        if right >= 0 {
            parts.append(
                try n.g.penalty(allowed: try n.g.greaterOrEqual(distance, try n.g.scalar(Double(-right), .i64)), q.dtype))
        }
    }
    if n.has(6) {
        parts.append(try n.g.penalty(allowed: try n.g.within(try n.term(6), keys: keys.extents(2)), q.dtype))
    }
    guard var bias = parts.first else { return nil }
    for part in parts.dropFirst() { bias = try n.g.add(bias, part) }
    return bias
}

/// Pairs (a, b) of each head's elements rotated: (a·cos − b·sin, a·sin + b·cos).
private func rotaryEmbedding(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    // [batch, length, heads, size]
    var y = x
    if x.rank == 4 {
        y = try n.g.transpose(x, [0, 2, 1, 3])
    } else {
        let heads = try n.int("num_heads")
        guard x.rank == 3, heads >= 1 else { throw .shape("x \(x.shape) in \(heads) heads") }
        y = try n.g.reshape(x, to: x.shapes.map { [$0[0], $0[1], heads, $0[2] / heads] })
    }
    let size = try y.extent(3), chosen = try n.int("rotary_embedding_dim", 0)
    let rotated = chosen == 0 ? size : chosen, half = rotated / 2
    func cache(_ input: Int) throws(ApusError) -> Term {
        let table = try n.term(input)
        return try n.g.unsqueeze(n.has(3) ? try n.g.gather(table, try n.term(3), axis: 0) : table, [2])
    }
    let cos = try cache(1), sin = try cache(2)
    let isInterleaved = try n.flag("interleaved")
    let part = try n.g.slice(y, axis: 3, 0, rotated)
    let a = isInterleaved ? try n.g.slice(part, axis: 3, 0, rotated, step: 2) : try n.g.slice(part, axis: 3, 0, half)
    let b = isInterleaved
        ? try n.g.slice(part, axis: 3, 1, rotated, step: 2) : try n.g.slice(part, axis: 3, half, rotated)
    let real = try n.g.sub(try n.g.mul(cos, a), try n.g.mul(sin, b))
    let imaginary = try n.g.add(try n.g.mul(sin, a), try n.g.mul(cos, b))
    var turned: Term
    if isInterleaved {
        let pairs = try n.g.concat([try n.g.unsqueeze(real, [4]), try n.g.unsqueeze(imaginary, [4])], axis: 4)
        turned = try n.g.reshape(pairs, to: part.shapes.map { $0.dimensions })
    } else {
        turned = try n.g.concat([real, imaginary], axis: 3)
    }
    if rotated < size { turned = try n.g.concat([turned, try n.g.slice(y, axis: 3, rotated, size)], axis: 3) }
    if x.rank == 4 { return try n.g.transpose(turned, [0, 2, 1, 3]) }
    return try n.g.reshape(turned, to: x.shapes.map { $0.dimensions })
}
