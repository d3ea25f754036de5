import ApusGraph

/// The parts that attention layers are composed of.
extension Emitter {
    /// softmax(Q·Kᵀ·scale + bias)·V for Q, K and V [batch, heads, length, size]; the scale is 1/√size unless given.
    func attention(_ q: Term, _ k: Term, _ v: Term, _ bias: Term?, scale: Double? = nil) throws(ApusError) -> Term {
        let size = try q.extent(3)
        let scale = scale ?? 1 / Double(size).squareRoot()
        var scores = try matMul(try mul(q, try scalar(scale, like: q)), k, transposeB: true)
        if let bias { scores = try add(scores, bias) }
        return try matMul(try softmax(scores, axis: -1), v)
    }

    /// [batch, length, heads·size] as [batch, heads, length, size].
    func heads(_ x: Term, _ count: Int) throws(ApusError) -> Term {
        guard count >= 1, try x.extent(2) % count == 0 else { throw .shape("\(x.shape) in \(count) heads") }
        return try transpose(try reshape(x, to: x.shapes.map { [$0[0], $0[1], count, $0[2] / count] }), [0, 2, 1, 3])
    }

    /// [batch, heads, length, size] as [batch, length, heads·size].
    func merged(_ x: Term) throws(ApusError) -> Term {
        let moved = try transpose(x, [0, 2, 1, 3])
        return try reshape(moved, to: moved.shapes.map { [$0[0], $0[1], $0[2] * $0[3]] })
    }

    /// [queries, keys]: how far a key is behind its query, before which `past` keys are. Of lengths per sample.
    func distances(queries: [Int], keys: [Int], past: [Int]) throws(ApusError) -> Term {
        let rows = try add(try range(queries), try extentScalar(past, .i64))
        return try sub(try unsqueeze(rows, [1]), try range(keys))
    }

    /// Each head of [batch, heads, length, size] `count` times.
    func repeated(_ x: Term, _ count: Int) throws(ApusError) -> Term {
        if count <= 1 { return x }
        let wide = try unsqueeze(x, [2])
        let tiled = try expand(wide, to: wide.shapes.map { $0.replacing(2, with: count).dimensions })
        return try reshape(tiled, to: x.shapes.map { $0.replacing(1, with: $0[1] * count).dimensions })
    }

    /// Puts keys and values [batch, heads, length, size] behind those of a past; returns how many that has, per sample.
    func join(_ past: (k: Term, v: Term)?, _ k: inout Term, _ v: inout Term) throws(ApusError) -> [Int] {
        guard let past else { return [Int](repeating: 0, count: samples.count) }
        guard past.k.rank == 4 else { throw .shape("past keys \(past.k.shape), wanted [batch, heads, length, size]") }
        k = try concat([past.k, k], axis: 2)
        v = try concat([past.v, v], axis: 2)
        return past.k.extents(2)
    }

    /// Integers [batch] as [batch, 1, 1, 1], of i64.
    func perSequence(_ x: Term) throws(ApusError) -> Term {
        guard x.rank == 1 else { throw .shape("\(x.shape) of sequences, wanted [batch]") }
        return try reshape(try cast(x, to: .i64), to: x.extents(0).map { [$0, 1, 1, 1] })
    }

    /// [batch, 1, 1, keys]: which keys are in a sequence of such a length [batch].
    func within(_ lengths: Term, keys: [Int]) throws(ApusError) -> Term {
        try less(try range(keys), try perSequence(lengths))
    }

    /// What is added to scores: 0 where allowed, `forbidden` elsewhere.
    func penalty(allowed: Term, _ dtype: DType, forbidden: Double = -.infinity) throws(ApusError) -> Term {
        try select(allowed, try scalar(0, dtype), try scalar(forbidden, dtype))
    }
}
