import ApusGraph

/// Resizes along an axis of which symbolic dimensions decide the extent before or after. Places are computed in the graph
/// as fractions of integers of i64, so no rounding moves one over a whole number.
struct SymbolicResampler {
    private let n: NodeContext
    private let extents, sizes: [Int]
    private let coordinates: ResizeCoordinates
    /// The scale as a fraction; nil where it is size ∕ extent.
    private let ratio: (numerator: Int, denominator: Int)?
    private var g: Emitter { n.g }

    /// - Parameters:
    ///   - extents, sizes: from 1 to 2²⁰, per sample.
    ///   - scale: nil where it is size ∕ extent.
    init(
        _ n: NodeContext, _ extents: [Int], _ sizes: [Int], scale: Double?, _ coordinates: ResizeCoordinates
    ) throws(ApusError) {
        (self.n, self.extents, self.sizes, self.coordinates) = (n, extents, sizes, coordinates)
        ratio = try scale.map { scale throws(ApusError) in
            guard let ratio = SymbolicResampler.fraction(scale) else {
                throw .unsupported("scale \(scale) of a symbolic extent, wanted a fraction")
            }
            return ratio
        }
        guard coordinates != .crop else { throw .unsupported("'\(coordinates.rawValue)' of a symbolic extent") }
        if try n.flag("exclude_outside") { throw .unsupported("exclude_outside of a symbolic extent") }
        if try n.flag("antialias"), zip(extents, sizes).contains(where: { $0 > $1 }) {
            throw .unsupported("antialias of a symbolic extent that shrinks")
        }
    }

    /// The fraction of a small denominator that, rounded to f32, is the scale.
    private static func fraction(_ scale: Double) -> (numerator: Int, denominator: Int)? {
        guard scale <= 0x1p20 else { return nil }
        for denominator in 1...256 {
            let numerator = (scale * Double(denominator)).rounded()
            if Float(numerator) / Float(denominator) == Float(scale) { return (Int(numerator), denominator) }
        }
        return nil
    }

    func apply(_ x: Term, axis: Int) throws(ApusError) -> Term {
        switch try n.string("mode", "nearest") {
        case "nearest":
            let index = try nearest(try place(), try n.string("nearest_mode", n.version < 11 ? "floor" : "round_prefer_floor"))
            return try g.gather(x, try bounded(index), axis: axis)
        case "linear": return try interpolated(x, axis: axis, linearWeights)
        case "cubic":
            let a = Double(try n.float("cubic_coeff_a", -0.75))
            return try interpolated(x, axis: axis) { t, g throws(ApusError) in try cubicWeights(t, g, a: a) }
        case let mode: throw .unsupported("mode '\(mode)'")
        }
    }

    // MARK: Places

    /// A number of inputs as integers of i64, greater than −1/2.
    private typealias Fraction = (numerator: Term, denominator: Term)

    /// Where in the input every output is taken from.
    private func place() throws(ApusError) -> Fraction {
        if let ratio, ratio.denominator > 1 {
            // A vector of ⌊extent·p ∕ q⌋ elements, which `range` finds.
            let multiple = try g.vector(extents.map { $0 * ratio.numerator })
            _ = try g.slice(multiple, axis: 0, ratio.denominator - 1, Int(Int32.max), step: ratio.denominator)
        }
        let y = try g.range(sizes), size = try g.extentScalar(sizes, .i64), extent = try g.extentScalar(extents, .i64)
        let p = try ratio.map { r throws(ApusError) in try number(r.numerator) } ?? size
        let q = try ratio.map { r throws(ApusError) in try number(r.denominator) } ?? extent
        switch coordinates {
        case .asymmetric: return (try g.mul(y, q), p)
        case .alignCorners:
            // The last output at the last input; a single one at the first.
            let numerator = try g.mul(try g.mul(y, try g.sub(extent, try number(1))), q)
            return (numerator, try g.maximum(try g.sub(try g.mul(p, extent), q), try number(1)))
        case .halfPixel, .symmetric, .pytorch, .crop:
            // (y + ½)·q/p − ½
            let odd = try g.add(try g.mul(y, try number(2)), try number(1))
            var numerator = try g.sub(try g.mul(odd, q), p)
            if coordinates == .symmetric {
                numerator = try g.add(numerator, try g.sub(try g.mul(extent, p), try g.mul(size, q)))
            } else if coordinates == .pytorch {
                numerator = try g.select(try g.equal(size, try number(1)), try number(0), numerator)
            }
            return (numerator, try g.mul(p, try number(2)))
        }
    }

    private func nearest(_ x: Fraction, _ rounding: String) throws(ApusError) -> Term {
        switch rounding {
        case "floor": return try floor(x)
        case "ceil":
            let rest = try g.sub(x.denominator, try number(1))
            return try floor((try g.add(x.numerator, rest), x.denominator))
        default:
            // ⌊x + ½⌋, or ⌈x − ½⌉, which is ⌊x + ½⌋ of a place less by less than the fraction's unit.
            var doubled = try g.add(try g.mul(x.numerator, try number(2)), x.denominator)
            if rounding != "round_prefer_ceil" { doubled = try g.sub(doubled, try number(1)) }
            return try floor((doubled, try g.mul(x.denominator, try number(2))))
        }
    }

    /// Of a fraction of at least −1. The quotient of integers is toward zero.
    private func floor(_ x: Fraction) throws(ApusError) -> Term {
        try g.sub(try g.div(try g.add(x.numerator, x.denominator), x.denominator), try number(1))
    }

    private func bounded(_ index: Term) throws(ApusError) -> Term {
        let last = try g.sub(try g.extentScalar(extents, .i64), try number(1))
        return try g.minimum(try g.maximum(index, try number(0)), last)
    }

    private func number(_ value: Int) throws(ApusError) -> Term { try g.scalar(Double(value), .i64) }

    // MARK: Values

    /// Σ over neighbours of weight·x. `weights` gives those of a place t after the floor, and how far they are from it.
    private func interpolated(
        _ x: Term, axis: Int, _ weights: (Term, Emitter) throws(ApusError) -> [(Int, Term)]
    ) throws(ApusError) -> Term {
        let real = try g.widened(x, x.dtype.isFloat ? .real : [.f32])
        let place = try place(), first = try floor(place)
        let rest = try g.sub(place.numerator, try g.mul(first, place.denominator))
        let t = try g.div(try g.cast(rest, to: real.dtype), try g.cast(place.denominator, to: real.dtype))
        let column = try g.reshape(t, to: sizes.map { size in (0..<x.rank).map { $0 == axis ? size : 1 } })
        var sum: Term?
        for (offset, weight) in try weights(column, g) {
            let index = try bounded(try g.add(first, try number(offset)))
            let part = try g.mul(try g.gather(real, index, axis: axis), weight)
            sum = try sum.map { s throws(ApusError) in try g.add(s, part) } ?? part
        }
        return sum!
    }
}
