import ApusGraph

let convolutionOperators: [OnnxOperator] = [
    OnnxOperator("Conv", conv),
    OnnxOperator("ConvTranspose", convTranspose),
    OnnxOperator("ConvInteger", convInteger),
    OnnxOperator("Col2Im", columnsToImage),
]

private func conv(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), w = try n.term(1)
    let bias = n.has(2) ? try n.term(2) : nil
    return try convolution(n, x, w, bias)
}

func convolution(_ n: NodeContext, _ x: Term, _ w: Term, _ bias: Term?) throws(ApusError) -> Term {
    guard x.rank >= 3, w.rank == x.rank else { throw .shape("x \(x.shape) and W \(w.shape), wanted equal ranks from 3") }
    guard w.isFixed else { throw .unsupported("W \(w.shape) is symbolic, wanted a fixed shape") }
    let window = try Window(
        n, kernel: Array(w.shape.dimensions.dropFirst(2)), over: (2..<x.rank).map { x.extents($0) })
    let groups = try n.int("group", 1)
    var operands = [x, w]
    if let bias { operands.append(bias) }
    return try n.g.computing(operands, in: .real) { terms throws(ApusError) in
        let bias = terms.count > 2 ? terms[2] : nil
        switch window.rank {
        case 1: return try n.g.convolution1D(terms[0], terms[1], bias, window, groups)
        case 2: return try n.g.convolution2D(terms[0], terms[1], bias, window, groups)
        case 3: return try n.g.convolution3D(terms[0], terms[1], bias, window, groups)
        default: throw .unsupported("a convolution over \(window.rank) axes, wanted 1 ... 3")
        }
    }
}

/// (x − x₀) * (W − w₀) of 8-bit integers, as i32.
private func convInteger(_ n: NodeContext) throws(ApusError) -> Term {
    let w = try n.imported(1).shape
    let axes = SumAxes(x: 1, w: 1, groups: try n.int("group", 1))
    return try integerSums(n, rows: 0, columns: 0, count: w.product(1..<max(1, w.rank)), along: axes) { x, w throws(ApusError) in
        // Not all algorithms give whole numbers.
        try n.g.round(try convolution(n, x, w, nil))
    }
}

private func convTranspose(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), w = try n.term(1)
    guard x.rank >= 3, w.rank == x.rank else { throw .shape("x \(x.shape) and W \(w.shape), wanted equal ranks from 3") }
    var operands = [x, w]
    if n.has(2) { operands.append(try n.term(2)) }
    let attributes = try TransposedWindow(n, x, w)
    return try n.g.computing(operands, in: .real) { terms throws(ApusError) in
        let bias = terms.count > 2 ? terms[2] : nil
        switch attributes.kernel.count {
        case 1:
            let y = try n.g.transposed2D(
                try n.g.unsqueeze(terms[0], [2]), try n.g.unsqueeze(terms[1], [2]), bias, attributes.twoDimensional)
            return try n.g.squeeze(y, [2])
        case 2: return try n.g.transposed2D(terms[0], terms[1], bias, attributes)
        case let rank: return try n.g.transposedAnyRank(terms[0], terms[1], bias, attributes, rank)
        }
    }
}

/// Blocks [N, C·block, L] of an image added up where they lie: what undoes taking them out of it.
private func columnsToImage(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), image = try n.integers(1), block = try n.integers(2), rank = image.count
    let ones = [Int](repeating: 1, count: rank)
    let strides = try n.ints("strides") ?? ones, dilations = try n.ints("dilations") ?? ones
    let pads = try n.ints("pads") ?? [Int](repeating: 0, count: 2 * rank)
    let size = Shape(block).count
    guard x.rank == 3, rank >= 1, block.count == rank, strides.count == rank, dilations.count == rank,
        pads.count == 2 * rank, (image + block + strides + dilations).allSatisfy({ (1...1 << 20).contains($0) }),
        pads.allSatisfy({ (0...1 << 20).contains($0) }), size <= 1 << 12, try x.extent(1) % size == 0
    else { throw .shape("blocks \(block) of an image \(image) from \(x.shape)") }
    var full: [Int] = [], grid: [Int] = []
    for axis in 0..<rank {
        full.append(image[axis] + pads[axis] + pads[axis + rank])
        grid.append((full[axis] - (block[axis] - 1) * dilations[axis] - 1) / strides[axis] + 1)
    }
    let channels = try x.extent(1) / size
    let wide = try n.g.reshape(x, to: x.shapes.map { [$0[0], channels, size] + grid })
    var sum: Term?
    for (i, tap) in n.g.taps(block).enumerated() {
        let part = try n.g.squeeze(try n.g.slice(wide, axis: 2, i, i + 1), [2])
        let y = try n.g.placed(part, at: tap.indices.map { tap[$0] * dilations[$0] }, strides: strides, in: full)
        sum = try sum.map { s throws(ApusError) in try n.g.add(s, y) } ?? y
    }
    var y = sum!
    for axis in 0..<rank { y = try n.g.slice(y, axis: axis + 2, pads[axis], pads[axis] + image[axis]) }
    return y
}

/// The attributes of ConvTranspose.
private struct TransposedWindow {
    var kernel, strides, dilations, before, after, outputPadding: [Int]
    var groups: Int

    init(_ n: NodeContext, _ x: Term, _ w: Term) throws(ApusError) {
        kernel = Array(w.shape.dimensions.dropFirst(2))
        let rank = kernel.count, ones = [Int](repeating: 1, count: rank)
        groups = try n.int("group", 1)
        strides = try n.ints("strides") ?? ones
        dilations = try n.ints("dilations") ?? ones
        outputPadding = try n.ints("output_padding") ?? ones.map { _ in 0 }
        let pads = try n.ints("pads") ?? [Int](repeating: 0, count: 2 * rank)
        guard strides.count == rank, dilations.count == rank, outputPadding.count == rank, pads.count == 2 * rank,
            (kernel + strides + dilations).allSatisfy({ (1...1 << 30).contains($0) }),
            (pads + outputPadding).allSatisfy({ (0...Shape.maximumExtent).contains($0) })
        else { throw .shape("strides \(strides), dilations \(dilations), pads \(pads)") }
        before = Array(pads[..<rank])
        after = Array(pads[rank...])
        let mode = try n.string("auto_pad", "NOTSET")
        let outputs = try n.ints("output_shape").map { Array($0.suffix(rank)) }
        guard outputs?.count ?? rank == rank else { throw .shape("an output_shape of \(outputs!.count), wanted \(rank)") }
        guard outputs != nil || mode.hasPrefix("SAME") else {
            if mode == "VALID" { (before, after) = (ones.map { _ in 0 }, ones.map { _ in 0 }) }
            return
        }
        for axis in 0..<rank {
            let extent = try x.extent(axis + 2)
            let wanted = outputs?[axis] ?? extent * strides[axis]
            let full = (extent - 1) * strides[axis] + outputPadding[axis] + (kernel[axis] - 1) * dilations[axis] + 1
            let total = max(0, full - wanted)
            outputPadding[axis] += max(0, wanted - full)
            before[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
            after[axis] = total - before[axis]
        }
    }

    /// With a first axis of extent 1.
    var twoDimensional: TransposedWindow {
        var result = self
        result.kernel.insert(1, at: 0)
        result.strides.insert(1, at: 0)
        result.dilations.insert(1, at: 0)
        result.before.insert(0, at: 0)
        result.after.insert(0, at: 0)
        result.outputPadding.insert(0, at: 0)
        return result
    }
}

extension Emitter {
    func convolution2D(
        _ x: Term, _ w: Term, _ bias: Term?, _ window: Window, _ groups: Int
    ) throws(ApusError) -> Term {
        let op = Conv2D(
            strides: Size2D(window.strides[0], window.strides[1]),
            dilations: Size2D(window.dilations[0], window.dilations[1]),
            padding: .explicit(
                top: window.before[0], left: window.before[1], bottom: window.after[0], right: window.after[1]),
            groups: groups, hasBias: bias != nil)
        let kernel = try transpose(w, [2, 3, 1, 0])
        return try channelsFirst(try emit(op, [try channelsLast(x), kernel] + (bias.map { [$0] } ?? []))[0])
    }

    fileprivate func convolution1D(
        _ x: Term, _ w: Term, _ bias: Term?, _ window: Window, _ groups: Int
    ) throws(ApusError) -> Term {
        let op = Conv2D(
            strides: Size2D(1, window.strides[0]), dilations: Size2D(1, window.dilations[0]),
            padding: .explicit(top: 0, left: window.before[0], bottom: 0, right: window.after[0]), groups: groups,
            hasBias: bias != nil)
        let kernel = try unsqueeze(try transpose(w, [2, 1, 0]), [0])
        let image = try unsqueeze(try channelsLast(x), [1])
        return try channelsFirst(try squeeze(try emit(op, [image, kernel] + (bias.map { [$0] } ?? []))[0], [1]))
    }

    /// The sum over the taps in depth of convolutions of the planes they see, which are images of one batch.
    fileprivate func convolution3D(
        _ x: Term, _ w: Term, _ bias: Term?, _ window: Window, _ groups: Int
    ) throws(ApusError) -> Term {
        let x = try pad(
            x, [0, 0, window.before[0], 0, 0], [0, 0, window.after[0], 0, 0])
        let depth = window.count(0, over: try x.extent(2) - window.before[0] - window.after[0])
        var sum: Term?
        for tap in 0..<window.kernel[0] {
            let start = tap * window.dilations[0]
            let planes = try slice(
                x, axis: 2, start, start + (depth - 1) * window.strides[0] + 1, step: window.strides[0])
            let batch = try transpose(planes, [0, 2, 3, 4, 1])
            let images = try reshape(batch, to: batch.shapes.map { [$0[0] * $0[1], $0[2], $0[3], $0[4]] })
            let op = Conv2D(
                strides: Size2D(window.strides[1], window.strides[2]),
                dilations: Size2D(window.dilations[1], window.dilations[2]),
                padding: .explicit(
                    top: window.before[1], left: window.before[2], bottom: window.after[1], right: window.after[2]),
                groups: groups, hasBias: bias != nil && tap == 0)
            let kernel = try transpose(try squeeze(try slice(w, axis: 2, tap, tap + 1), [2]), [2, 3, 1, 0])
            let part = try emit(op, [images, kernel] + (tap == 0 ? bias.map { [$0] } ?? [] : []))[0]
            sum = try sum.map { s throws(ApusError) in try add(s, part) } ?? part
        }
        let y = sum!
        let wide = try reshape(y, to: zip(x.shapes, y.shapes).map { [$0[0], depth, $1[1], $1[2], $1[3]] })
        return try channelsFirst(wide)
    }

    fileprivate func transposed2D(
        _ x: Term, _ w: Term, _ bias: Term?, _ window: TransposedWindow
    ) throws(ApusError) -> Term {
        let fits = zip(window.outputPadding, window.strides).allSatisfy { $0 < $1 }
        guard fits else { return try transposedAnyRank(x, w, bias, window, 2) }
        let op = Conv2DTranspose(
            strides: Size2D(window.strides[0], window.strides[1]),
            dilations: Size2D(window.dilations[0], window.dilations[1]),
            padding: .explicit(
                top: window.before[0], left: window.before[1], bottom: window.after[0], right: window.after[1]),
            outputPadding: Size2D(window.outputPadding[0], window.outputPadding[1]), groups: window.groups,
            hasBias: bias != nil)
        // [C, O/G, kh, kw] → [kh, kw, O/G, C].
        let kernel = try transpose(w, [2, 3, 1, 0])
        return try channelsFirst(try emit(op, [try channelsLast(x), kernel] + (bias.map { [$0] } ?? []))[0])
    }

    /// Each tap's product with W, spread by the strides and shifted, all added up.
    fileprivate func transposedAnyRank(
        _ x: Term, _ w: Term, _ bias: Term?, _ window: TransposedWindow, _ rank: Int
    ) throws(ApusError) -> Term {
        if window.groups != 1 { return try transposedByGroups(x, w, bias, window, rank) }
        guard Shape(window.kernel).count <= 1 << 12 else { throw .unsupported("a kernel of \(window.kernel)") }
        var extents: [Int] = [], full: [Int] = []
        for axis in 0..<rank {
            extents.append(try x.extent(axis + 2))
            let span = (window.kernel[axis] - 1) * window.dilations[axis] + 1
            full.append((extents[axis] - 1) * window.strides[axis] + span)
        }
        let positions = try reshape(
            try channelsLast(x), to: x.shapes.map { [$0[0], $0.product(2..<$0.rank), $0[1]] })
        var sum: Term?
        for tap in taps(window.kernel) {
            var part = w
            for axis in (0..<rank).reversed() {
                part = try squeeze(try slice(part, axis: axis + 2, tap[axis], tap[axis] + 1), [axis + 2])
            }
            let channels = try w.extent(1)
            var y = try product(positions, part)
            y = try channelsFirst(try reshape(y, to: x.shapes.map { [$0[0]] + extents + [channels] }))
            y = try placed(y, at: tap.indices.map { tap[$0] * window.dilations[$0] }, strides: window.strides, in: full)
            sum = try sum.map { s throws(ApusError) in try add(s, y) } ?? y
        }
        var y = sum!
        for axis in 0..<rank {
            var after = [Int](repeating: 0, count: y.rank)
            after[axis + 2] = Swift.max(0, window.outputPadding[axis] - window.after[axis])
            y = try pad(y, after.map { _ in 0 }, after)
            let end = full[axis] + window.outputPadding[axis] - window.after[axis]
            y = try slice(y, axis: axis + 2, window.before[axis], end)
        }
        guard let bias else { return y }
        return try add(y, try reshape(bias, [try bias.extent(0)] + [Int](repeating: 1, count: rank)))
    }

    /// The same of each group of channels.
    private func transposedByGroups(
        _ x: Term, _ w: Term, _ bias: Term?, _ window: TransposedWindow, _ rank: Int
    ) throws(ApusError) -> Term {
        var single = window
        single.groups = 1
        guard window.groups >= 1, try x.extent(1) == w.extent(0), try w.extent(0) % window.groups == 0 else {
            throw .shape("x \(x.shape) and W \(w.shape) in \(window.groups) groups")
        }
        let inputs = try w.extent(0) / window.groups, outputs = try w.extent(1)
        var parts: [Term] = []
        for group in 0..<window.groups {
            parts.append(try transposedAnyRank(
                try slice(x, axis: 1, group * inputs, (group + 1) * inputs),
                try slice(w, axis: 0, group * inputs, (group + 1) * inputs),
                try bias.map { b throws(ApusError) in try slice(b, axis: 0, group * outputs, (group + 1) * outputs) },
                single, rank))
        }
        return try concat(parts, axis: 1)
    }

    /// x [N, C, …] with its elements `strides` apart, from `start` on, in zeros of the extents `full`.
    fileprivate func placed(_ x: Term, at start: [Int], strides: [Int], in full: [Int]) throws(ApusError) -> Term {
        var x = x
        for axis in full.indices {
            x = try spread(x, axis: axis + 2, by: strides[axis])
            var before = [Int](repeating: 0, count: x.rank), after = before
            before[axis + 2] = start[axis]
            after[axis + 2] = full[axis] - start[axis] - x.shape[axis + 2]
            x = try pad(x, before, after)
        }
        return x
    }

    /// With `stride` − 1 zeros after each element along an axis but the last.
    private func spread(_ x: Term, axis: Int, by stride: Int) throws(ApusError) -> Term {
        if stride == 1 { return x }
        let wide = try unsqueeze(x, [axis + 1])
        var after = [Int](repeating: 0, count: wide.rank)
        after[axis + 1] = stride - 1
        let padded = try pad(wide, after.map { _ in 0 }, after)
        let merged = try reshape(padded, to: x.shapes.map { $0.replacing(axis, with: $0[axis] * stride).dimensions })
        return try slice(merged, axis: axis, 0, (try x.extent(axis) - 1) * stride + 1)
    }

    fileprivate func taps(_ kernel: [Int]) -> [[Int]] {
        kernel.reduce([[]]) { taps, count in taps.flatMap { tap in (0..<count).map { tap + [$0] } } }
    }
}
