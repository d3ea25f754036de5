/// g from U = G g Gᵀ, such that the transform of g gives U again to the bit.
///
/// U is rounded, so that H U Hᵀ with H G = 1 gives g but for its last bits. The first and the last number of each transformed
/// line are the line's end taps times a power of two, so the corner taps are exact, and so is G g at both ends of each row.
/// The numbers between are monotone in the line's middle tap: they leave a range of floats for it. What the ranges of
/// all rows leave for the middle column is searched.
struct WinogradInverse {
    /// 2 or 4 outputs a line.
    let tile: Int
    private var last: Int { tile + 1 }
    /// What the first number of a line is the first tap divided by.
    private var divisor: Float { tile == 2 ? 1 : 4 }
    /// The middle tap: Σ factor · number of a transformed line.
    private var middleFactors: [(place: Int, factor: Float)] { tile == 2 ? [(1, 1), (2, -1)] : [(1, -3), (2, 3)] }

    init(tile: Int) { self.tile = tile }

    /// The taps of one kernel, row-major, from its U, row-major. Where no taps give U, as after a change of U, the nearest.
    func taps(_ u: [Float]) -> [Float] {
        let side = tile + 2
        func row(_ i: Int) -> [Float] { Array(u[i * side..<(i + 1) * side]) }
        let left = (0..<side).map { divisor * u[$0 * side] }, right = (0..<side).map { u[$0 * side + last] }
        let rows = (0..<side).map { i in middle(row(i).map { $0...$0 }, left[i], right[i], near: estimate(row(i))) }
        let centers = (0..<side).map { i in rows[i]?.middle ?? estimate(row(i)) }
        let column = middleColumn(rows, estimates: centers)
        let west = taps(ofLine: left), east = taps(ofLine: right)
        return (0..<3).flatMap { [west[$0], column[$0], east[$0]] }
    }

    /// The taps of a line that is known to the bit.
    private func taps(ofLine line: [Float]) -> [Float] {
        let first = divisor * line[0], guess = estimate(line)
        let range = middle(line.map { $0...$0 }, first, line[last], near: guess)
        return [first, range.map { min(max(guess, $0.lowerBound), $0.upperBound) } ?? guess, line[last]]
    }

    /// The taps of the line whose numbers lie in ranges.
    private func middleColumn(_ ranges: [ClosedRange<Float>?], estimates: [Float]) -> [Float] {
        let guess = estimate(estimates)
        let known = ranges.compactMap { $0 }
        if known.count == ranges.count {
            let firsts = known[0].samples.map { divisor * $0 }
            for first in firsts {
                for end in known[last].samples {
                    if let range = middle(known, first, end, near: guess) {
                        return [first, min(max(guess, range.lowerBound), range.upperBound), end]
                    }
                }
            }
        }
        return [divisor * estimates[0], guess, estimates[last]]
    }

    private func estimate(_ line: [Float]) -> Float {
        Float(middleFactors.reduce(0.0) { $0 + Double($1.factor) * Double(line[$1.place]) })
    }

    /// The middle taps by which a line with these ends becomes numbers in `ranges`; nil: none.
    private func middle(
        _ ranges: [ClosedRange<Float>], _ start: Float, _ end: Float, near guess: Float
    ) -> ClosedRange<Float>? {
        var low = -Float.greatestFiniteMagnitude, high = Float.greatestFiniteMagnitude
        let ends = start + end, far = start.addingProduct(4, end)
        guard guess.isFinite, ends.isFinite, far.isFinite else { return nil }
        for place in 1...tile {
            let range = ranges[place]
            let result = { (middle: Float) -> Float in number(place, middle, ends, far) }
            let rises = (place % 2 == 1) == (tile == 2 || place > 2)
            if rises {
                low = max(low, first(near: guess) { result($0) >= range.lowerBound })
                high = min(high, first(near: guess) { result($0) > range.upperBound }.nextDown)
            } else {
                low = max(low, first(near: guess) { result($0) <= range.upperBound })
                high = min(high, first(near: guess) { result($0) < range.lowerBound }.nextDown)
            }
            guard low <= high else { return nil }
        }
        return low...high
    }

    /// One of the numbers between a transformed line's ends, as the kernels round it.
    private func number(_ place: Int, _ middle: Float, _ ends: Float, _ far: Float) -> Float {
        let sign: Float = place % 2 == 1 ? 1 : -1
        if tile == 2 { return 0.5 * (ends + sign * middle) }
        if place <= 2 { return Float(-1.0 / 6) * (ends + sign * middle) }
        return Float(1.0 / 24) * far.addingProduct(sign * 2, middle)
    }

    /// The least float from which on a condition holds, searched in widening steps around a guess.
    private func first(near guess: Float, where holds: (Float) -> Bool) -> Float {
        let limit = Float.greatestFiniteMagnitude.order
        var low = guess.order, high = low, step = 1
        while holds(Float(order: low)) {
            guard low > -limit else { return -Float.greatestFiniteMagnitude }
            (high, low, step) = (low, max(-limit, low - step), step * 4)
        }
        step = 1
        while !holds(Float(order: high)) {
            guard high < limit else { return .infinity }
            (low, high, step) = (high, min(limit, high + step), step * 4)
        }
        while high - low > 1 {
            let center = (low + high) / 2
            if holds(Float(order: center)) { high = center } else { low = center }
        }
        return Float(order: high)
    }
}

extension Float {
    /// Its place among all floats; both zeros are at 0.
    fileprivate var order: Int {
        let magnitude = Int(bitPattern & 0x7FFF_FFFF)
        return sign == .minus ? -magnitude : magnitude
    }

    fileprivate init(order: Int) {
        self = Float(bitPattern: UInt32(abs(order)))
        if order < 0 { negate() }
    }
}

extension ClosedRange<Float> {
    fileprivate var middle: Float { Float(order: (lowerBound.order + upperBound.order) / 2) }

    /// All floats of a short range or as many evenly spaced ones, the middle first.
    fileprivate var samples: [Float] {
        let low = lowerBound.order, count = upperBound.order - low + 1, most = 65
        let step = (upperBound - lowerBound) / Float(most - 1)
        let all = count <= most
            ? (low..<low + count).map { Float(order: $0) } : (0..<most).map { Swift.min(upperBound, lowerBound + Float($0) * step) }
        let center = all.count / 2
        return all.indices.sorted { abs($0 - center) < abs($1 - center) }.map { all[$0] }
    }
}
