import ApusGraph

let reductionOperators: [OnnxOperator] =
    reduction("ReduceSum", inputsSince: 13) { g, x, axes, keep throws(ApusError) in
        try g.reduce(.sum, x, axes, keep: keep)
    }
    + reduction("ReduceMean") { g, x, axes, keep throws(ApusError) in try g.reduceMean(x, axes, keep: keep) }
    + reduction("ReduceMax") { g, x, axes, keep throws(ApusError) in try g.extreme(.max, x, axes, keep: keep) }
    + reduction("ReduceMin") { g, x, axes, keep throws(ApusError) in try g.extreme(.min, x, axes, keep: keep) }
    + reduction("ReduceProd") { g, x, axes, keep throws(ApusError) in try g.reduceProduct(x, axes, keep: keep) }
    + reduction("ReduceL1", empty: Emitter.abs) { g, x, axes, keep throws(ApusError) in
        try g.reduce(.sum, try g.abs(x), axes, keep: keep)
    }
    + reduction("ReduceL2", empty: Emitter.abs) { g, x, axes, keep throws(ApusError) in
        try g.asReal(x) { x throws(ApusError) in try g.sqrt(try g.reduce(.sum, try g.square(x), axes, keep: keep)) }
    }
    + reduction("ReduceSumSquare", empty: Emitter.square) { g, x, axes, keep throws(ApusError) in
        try g.reduce(.sum, try g.square(x), axes, keep: keep)
    }
    + reduction("ReduceLogSum", empty: { g in { x throws(ApusError) in try g.asReal(x, g.log) } }) {
        g, x, axes, keep throws(ApusError) in
        try g.asReal(x) { x throws(ApusError) in try g.log(try g.reduce(.sum, x, axes, keep: keep)) }
    }
    + reduction("ReduceLogSumExp") { g, x, axes, keep throws(ApusError) in
        try g.asReal(x) { x throws(ApusError) in try g.reduceLogSumExp(x, axes, keep: keep) }
    }
    + [
        OnnxOperator("ArgMax") { n throws(ApusError) in try argument(n, n.g.argMax) },
        OnnxOperator("ArgMin") { n throws(ApusError) in try argument(n, n.g.argMin) },
        OnnxOperator("CumSum") { n throws(ApusError) in try cumulative(n, neutral: 0, n.g.add) },
        OnnxOperator("CumProd") { n throws(ApusError) in try cumulative(n, neutral: 1, n.g.mul) },
    ]

private typealias Reduction = @Sendable (Emitter, Term, [Int], Bool) throws(ApusError) -> Term

/// The mappings of a reduction whose axes are an attribute, and an input from a version on. `empty` is what it does with
/// no axes where that means none.
private func reduction(
    _ name: String, inputsSince version: Int = 18,
    empty: @escaping @Sendable (Emitter) -> (Term) throws(ApusError) -> Term = { _ in { $0 } },
    _ body: @escaping Reduction
) -> [OnnxOperator] {
    @Sendable func map(_ n: NodeContext, _ axes: [Int]?) throws(ApusError) -> Term {
        let x = try n.term(0)
        guard let axes, !axes.isEmpty else {
            if try n.flag("noop_with_empty_axes") { return try empty(n.g)(x) }
            let all = Array(0..<x.rank)
            return all.isEmpty ? try empty(n.g)(x) : try body(n.g, x, all, try n.flag("keepdims", true))
        }
        var list: [Int] = []
        for axis in axes { list.append(try x.axis(axis)) }
        return try body(n.g, x, list, try n.flag("keepdims", true))
    }
    return [
        OnnxOperator(name) { n throws(ApusError) -> Term in try map(n, try n.ints("axes")) },
        OnnxOperator(name, since: version) { n throws(ApusError) -> Term in
            try map(n, n.has(1) ? try n.integers(1) : try n.ints("axes"))
        },
    ]
}

private func argument(
    _ n: NodeContext, _ find: (Term, Int, Bool) throws(ApusError) -> Term
) throws(ApusError) -> Term {
    let x = try n.term(0), keep = try n.flag("keepdims", true)
    let axis = try x.axis(try n.int("axis", 0))
    guard try n.flag("select_last_index") else { return try find(x, axis, keep) }
    // The first of the reversed axis, counted from its end.
    let reversed = try n.g.slice(x, axis: axis, -1, Int(Int32.min), step: -1)
    let last = try n.g.scalar(Double(try x.extent(axis) - 1), .i64)
    return try n.g.sub(last, try find(reversed, axis, keep))
}

private func cumulative(
    _ n: NodeContext, neutral: Float, _ combine: (Term, Term) throws(ApusError) -> Term
) throws(ApusError) -> Term {
    let x = try n.term(0)
    return try n.g.cumulate(
        x, axis: try x.axis(try n.integers(1).first ?? 0), neutral: neutral, isReversed: try n.flag("reverse"),
        isExclusive: try n.flag("exclusive"), combine)
}

extension Emitter {
    /// Running sums or products, by doubling: after k rounds each element holds the last 2ᵏ.
    func cumulate(
        _ x: Term, axis: Int, neutral: Float = 0, isReversed: Bool = false, isExclusive: Bool = false,
        _ combine: (Term, Term) throws(ApusError) -> Term
    ) throws(ApusError) -> Term {
        var x = x
        let length = x.shape[axis]
        func shifted(_ x: Term, by count: Int) throws(ApusError) -> Term {
            var before = [Int](repeating: 0, count: x.rank), after = before
            if isReversed { after[axis] = count } else { before[axis] = count }
            let kept = isReversed ? (count, Int(Int32.max)) : (0, -count)
            return try slice(try pad(x, before, after, value: neutral), axis: axis, kept.0, kept.1)
        }
        if isExclusive && length > 0 { x = try shifted(x, by: 1) }
        var step = 1
        while step < length {
            x = try combine(x, try shifted(x, by: step))
            step *= 2
        }
        return x
    }

    /// The largest or smallest, of truth values too.
    func extreme(_ kind: Reduce, _ x: Term, _ axes: [Int], keep: Bool) throws(ApusError) -> Term {
        guard x.dtype == .bool else { return try reduce(kind, x, axes, keep: keep) }
        // Over nothing the largest is false and the smallest true.
        let extreme = try reduce(kind, try cast(x, to: .i32), axes, keep: keep)
        return try cast(try kind == .max ? relu(extreme) : extreme, to: .bool)
    }

    /// `body` of real numbers; of integers it is computed in f64 and rounded toward zero.
    fileprivate func asReal(_ x: Term, _ body: (Term) throws(ApusError) -> Term) throws(ApusError) -> Term {
        x.dtype.isFloat ? try body(x) : try cast(try body(try cast(x, to: .f64)), to: x.dtype)
    }

    /// The mean; of integers their sum in i64 by the count, rounded toward zero.
    fileprivate func reduceMean(_ x: Term, _ axes: [Int], keep: Bool) throws(ApusError) -> Term {
        guard !x.dtype.isFloat else { return try reduce(.mean, x, axes, keep: keep) }
        let counts = x.shapes.map { shape in axes.reduce(1) { $0 * shape[$1] } }
        let sum = try reduce(.sum, try cast(x, to: .i64), axes, keep: keep)
        return try cast(try div(sum, try extentScalar(counts, .i64)), to: x.dtype)
    }

    /// m + ln Σ e^(x − m) with m the largest, 0 where that is infinite.
    func reduceLogSumExp(_ x: Term, _ axes: [Int], keep: Bool) throws(ApusError) -> Term {
        try computing([x], in: .real) { terms throws(ApusError) in
            let x = terms[0]
            let largest = try reduce(.max, x, axes, keep: true)
            let isFinite = try less(try abs(largest), try scalar(.infinity, like: x))
            let shift = try select(isFinite, largest, try scalar(0, like: x))
            let sum = try log(try reduce(.sum, try exp(try sub(x, shift)), axes, keep: true))
            let result = try add(shift, sum)
            return keep ? result : try squeeze(result, axes)
        }
    }

    /// Halves multiplied until one element is left.
    func reduceProduct(_ x: Term, _ axes: [Int], keep: Bool) throws(ApusError) -> Term {
        var x = x
        for axis in axes {
            var length = try x.extent(axis)
            if length == 0 {
                x = try pad(x, [Int](repeating: 0, count: x.rank), (0..<x.rank).map { $0 == axis ? 1 : 0 }, value: 1)
                length = 1
            }
            while length > 1 {
                let half = length / 2
                let product = try mul(
                    try slice(x, axis: axis, 0, half), try slice(x, axis: axis, half, 2 * half))
                x = length % 2 == 0
                    ? product : try concat([product, try slice(x, axis: axis, length - 1, length)], axis: axis)
                length = half + length % 2
            }
        }
        return keep ? x : try squeeze(x, axes)
    }
}
