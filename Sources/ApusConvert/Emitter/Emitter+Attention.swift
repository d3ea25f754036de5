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

    /// What is added to scores: 0 where allowed, `forbidden` elsewhere.
    func penalty(allowed: Term, _ dtype: DType, forbidden: Double = -.infinity) throws(ApusError) -> Term {
        try select(allowed, try scalar(0, dtype), try scalar(forbidden, dtype))
    }
}
