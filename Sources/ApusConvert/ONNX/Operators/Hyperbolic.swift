import ApusGraph

/// Hyperbolic functions and their inverses, as exact for small results as for large ones, and finite as far as their results are.
extension Emitter {
    /// h·h/2 − 1/(2·h·h) with h = e^(|x|/2), of x's sign; below 1 the series x + x³/3! + x⁵/5! …
    func sinh(_ x: Term) throws(ApusError) -> Term {
        let one = try scalar(1, like: x), square = try square(x), terms = x.dtype == .f64 ? 9 : 5
        var series = one
        for term in stride(from: terms, to: 0, by: -1) {
            let factor = try scalar(1 / Double(2 * term * (2 * term + 1)), like: x)
            series = try add(one, try mul(try mul(square, factor), series))
        }
        let (growing, shrinking) = try halfExponentials(x)
        let large = try mul(try sign(x), try sub(growing, shrinking))
        return try select(try less(try abs(x), one), try mul(x, series), large)
    }

    /// h·h/2 + 1/(2·h·h) with h = e^(|x|/2).
    func cosh(_ x: Term) throws(ApusError) -> Term {
        let (growing, shrinking) = try halfExponentials(x)
        return try add(growing, shrinking)
    }

    /// e^|x|/2 and e^(−|x|)/2: the former is infinite only where it is beyond the type.
    private func halfExponentials(_ x: Term) throws(ApusError) -> (Term, Term) {
        let half = try scalar(0.5, like: x), h = try exp(try mul(try abs(x), half))
        return (try mul(h, try mul(h, half)), try div(try div(half, h), h))
    }

    /// sign(x)·ln(1 + |x| + x²/(1 + √(x² + 1))).
    func asinh(_ x: Term) throws(ApusError) -> Term {
        let one = try scalar(1, like: x), magnitude = try abs(x), square = try square(x)
        let root = try sqrt(try add(square, one))
        let beyond = try add(magnitude, try div(square, try add(one, root)))
        return try mul(try sign(x), try inverse(magnitude, try logOfOneMore(beyond)))
    }

    /// ln(1 + t + √(t·(t + 2))) with t = x − 1; NaN below 1.
    func acosh(_ x: Term) throws(ApusError) -> Term {
        let one = try scalar(1, like: x), t = try sub(x, one)
        let beyond = try add(t, try sqrt(try mul(t, try add(t, try scalar(2, like: x)))))
        let y = try inverse(x, try logOfOneMore(beyond))
        return try select(try less(x, one), try scalar(.nan, like: x), y)
    }

    /// sign(x)·ln(1 + 2·|x|/(1 − |x|))/2.
    func atanh(_ x: Term) throws(ApusError) -> Term {
        let one = try scalar(1, like: x), half = try scalar(0.5, like: x), magnitude = try abs(x), rest = try sub(one, magnitude)
        let small = try logOfOneMore(try div(try add(magnitude, magnitude), rest))
        let large = try log(try div(try add(one, magnitude), rest))
        return try mul(try sign(x), try mul(half, try select(try less(magnitude, half), small, large)))
    }

    /// ln x + ln 2 where that is the inverse to the last bit and x² may be beyond the type; else y.
    private func inverse(_ x: Term, _ y: Term) throws(ApusError) -> Term {
        let limit = try scalar(x.dtype == .f64 ? 1e9 : 1e4, like: x), ln2 = try scalar(0.6931471805599453, like: x)
        return try select(try greater(x, limit), try add(try log(x), ln2), y)
    }

    /// ln(1 + u) for finite u: with w = 1 + u as it is rounded, u·ln(w)/(w − 1), where the rounding cancels.
    private func logOfOneMore(_ u: Term) throws(ApusError) -> Term {
        let one = try scalar(1, like: u), w = try add(one, u)
        return try select(try equal(w, one), u, try div(try mul(u, try log(w)), try sub(w, one)))
    }
}
