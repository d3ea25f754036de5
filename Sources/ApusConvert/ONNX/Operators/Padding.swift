import ApusGraph

let paddingOperators: [OnnxOperator] = [
    OnnxOperator("Pad", padByAttributes),
    OnnxOperator("Pad", since: 11, padByInputs),
    OnnxOperator("CenterCropPad", centerCropPad),
]

private func padByAttributes(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), pads = try n.ints("pads") ?? []
    return try pad(
        n, x, x.types.map { _ in pads }, axes: Array(0..<x.rank), value: Double(try n.float("value", 0)))
}

private func padByInputs(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    var axes = Array(0..<x.rank)
    if n.has(3) {
        axes = []
        for axis in try n.integers(3) { axes.append(try x.axis(axis)) }
    }
    return try pad(n, x, try n.integerSamples(1), axes: axes, value: n.has(2) ? try n.number(2) : 0)
}

private enum PadMode: String {
    case constant, reflect, edge, wrap
}

/// `pads` per sample: what is added before each of `axes`, then what is added after; negative counts take away.
private func pad(_ n: NodeContext, _ x: Term, _ pads: [[Int]], axes: [Int], value: Double) throws(ApusError) -> Term {
    guard pads.joined().allSatisfy({ (-Shape.maximumExtent...Shape.maximumExtent).contains($0) }) else {
        throw .shape("pads \(pads[0])")
    }
    guard pads[0].count == 2 * axes.count else { throw .shape("\(pads[0].count) pads, wanted \(2 * axes.count)") }
    let name = try n.string("mode", "constant")
    guard let mode = PadMode(rawValue: name) else { throw .unsupported("padding mode '\(name)'") }
    var x = x
    var before = [Int](repeating: 0, count: x.rank), after = before
    for (i, axis) in axes.enumerated() {
        var (front, back) = (pads[0][i], pads[0][i + axes.count])
        guard pads.allSatisfy({ $0[i] == front && $0[i + axes.count] == back }) else {
            x = try padded(n, x, axis, pads.map { $0[i] }, pads.map { $0[i + axes.count] }, mode, value)
            continue
        }
        if min(front, back) < 0 {
            // What is taken away beyond the other end is taken from the padding there.
            let least = x.extents(axis).min() ?? 0, missing = max(0, -min(front, back) - least)
            guard missing == 0 || x.isFixed(axis) else {
                throw .unsupported("pads \(front) and \(back) of a symbolic extent from \(least) on")
            }
            if front < 0 { back -= missing } else { front -= missing }
        }
        (before[axis], after[axis]) = (max(0, front), max(0, back))
        if front < 0 || back < 0 {
            x = try n.g.slice(x, axis: axis, max(0, -front), back < 0 ? back : Int(Int32.max))
        }
    }
    switch mode {
    case .constant: return try constantPad(n, x, before, after, value)
    case .reflect: return try n.g.pad(x, before, after, mode: .reflect)
    case .edge: return try n.g.pad(x, before, after, mode: .edge)
    case .wrap: return try wrap(n, x, before, after)
    }
}

private func constantPad(
    _ n: NodeContext, _ x: Term, _ before: [Int], _ after: [Int], _ value: Double
) throws(ApusError) -> Term {
    if x.dtype == .bool {
        return try n.g.cast(try n.g.pad(try n.g.cast(x, to: .u8), before, after, value: Float(value)), to: .bool)
    }
    return try n.g.pad(x, before, after, value: Float(value))
}

/// The elements of the other end again.
private func wrap(_ n: NodeContext, _ x: Term, _ before: [Int], _ after: [Int]) throws(ApusError) -> Term {
    var x = x
    for axis in 0..<x.rank where before[axis] > 0 || after[axis] > 0 {
        let extent = try x.extent(axis)
        guard extent > 0 else { throw .shape("nothing along axis \(axis) to pad with") }
        try requireTable(before[axis] + extent + after[axis])
        let indices = (-before[axis]..<extent + after[axis]).map { (($0 % extent) + extent) % extent }
        x = try n.g.gather(x, indices, axis: axis)
    }
    return x
}

/// Along one axis by counts that symbolic dimensions decide: each element of the result is gathered from its place in x.
private func padded(
    _ n: NodeContext, _ x: Term, _ axis: Int, _ fronts: [Int], _ backs: [Int], _ mode: PadMode, _ value: Double
) throws(ApusError) -> Term {
    let g = n.g, extents = x.extents(axis)
    for sample in fronts.indices {
        let (front, back, extent) = (fronts[sample], backs[sample], extents[sample])
        let isPossible =
            switch mode {
            case .constant: front + extent + back >= 0
            case .reflect: (0..<max(1, extent)).contains(front) && (0..<max(1, extent)).contains(back)
            case .edge, .wrap: min(front, back) >= 0 && (extent > 0 || front + back == 0)
            }
        guard isPossible else {
            throw g.error(.shape("pads \(front) and \(back) of an extent of \(extent) by '\(mode.rawValue)'"), atSample: sample)
        }
    }
    let counts = extents.indices.map { fronts[$0] + extents[$0] + backs[$0] }
    let place = try g.sub(try g.range(counts), try g.extentScalar(fronts, .i64))
    let extent = try g.extentScalar(extents, .i64), zero = try g.scalar(0, .i64)
    let last = try g.sub(extent, try g.scalar(1, .i64))
    switch mode {
    case .constant:
        // The padding is one element more than x has.
        let more = (0..<x.rank).map { $0 == axis ? 1 : 0 }
        let wide = try constantPad(n, x, more.map { _ in 0 }, more, value)
        let isInside = try g.and(try g.greaterOrEqual(place, zero), try g.less(place, extent))
        return try g.gather(wide, try g.select(isInside, place, extent), axis: axis)
    case .reflect: return try g.gather(x, try g.sub(last, try g.abs(try g.sub(last, try g.abs(place)))), axis: axis)
    case .edge: return try g.gather(x, try g.minimum(try g.maximum(place, zero), last), axis: axis)
    case .wrap: return try g.gather(x, try g.remainder(place, extent, truncating: false), axis: axis)
    }
}

/// To the middle of each axis, or the middle padded with zeros.
private func centerCropPad(_ n: NodeContext) throws(ApusError) -> Term {
    var x = try n.term(0)
    let sizes = try n.integers(1)
    let axes = try n.ints("axes") ?? Array(0..<x.rank)
    guard sizes.count == axes.count else { throw .shape("\(sizes.count) sizes for \(axes.count) axes") }
    for (size, axis) in zip(sizes, axes) {
        let axis = try x.axis(axis)
        let extent = try x.extent(axis)
        if size < extent {
            let start = (extent - size) / 2
            x = try n.g.slice(x, axis: axis, start, start + size)
        } else if size > extent {
            var before = [Int](repeating: 0, count: x.rank), after = before
            before[axis] = (size - extent) / 2
            after[axis] = size - extent - before[axis]
            x = try n.g.pad(x, before, after)
        }
    }
    return x
}
