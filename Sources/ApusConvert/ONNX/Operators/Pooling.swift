import ApusGraph

let poolingOperators: [OnnxOperator] = [
    OnnxOperator("MaxPool", maxPool),
    OnnxOperator("AveragePool", averagePool),
    OnnxOperator("LpPool", lpPool),
    OnnxOperator("MaxUnpool", maxUnpool),
    OnnxOperator("GlobalAveragePool") { n throws(ApusError) -> Term in
        let x = try n.term(0)
        return try n.g.reduce(.mean, x, Array(2..<max(2, x.rank)), keep: true)
    },
    OnnxOperator("GlobalMaxPool") { n throws(ApusError) -> Term in
        let x = try n.term(0)
        return try n.g.reduce(.max, x, Array(2..<max(2, x.rank)), keep: true)
    },
    OnnxOperator("GlobalLpPool", globalLpPool),
]

func poolWindow(_ n: NodeContext, _ x: Term) throws(ApusError) -> Window {
    guard let kernel = try n.ints("kernel_shape") else { throw .file("no attribute 'kernel_shape'") }
    guard x.rank == kernel.count + 2 else { throw .shape("a window of \(kernel.count) axes over x \(x.shape)") }
    return try Window(
        n, kernel: kernel, over: (2..<x.rank).map { x.extents($0) }, ceils: try n.flag("ceil_mode"))
}

private func maxPool(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let x = try n.term(0)
    let window = try poolWindow(n, x)
    if n.node.outputs.count > 1 { return try maxPoolWithIndices(n, x, window) }
    if x.types[0].quantization != nil {
        guard window.fitsPooling else { throw .unsupported("a pool of codes that is none over an image") }
        return [ImportedValue(try n.g.pooling(x, window) { MaxPool(kernel: $0, strides: $1, padding: $2) })]
    }
    if !window.fitsPooling || !x.dtype.isFloat {
        let types: [DType] = .arithmetic
        return [ImportedValue(try n.g.computing([x], in: types) { terms throws(ApusError) in
            try n.g.taps(of: terms[0], window, padding: terms[0].dtype.lowest, n.g.maximum)
        })]
    }
    return [ImportedValue(try n.g.computing([x], in: .real) { terms throws(ApusError) in
        try n.g.pooling(terms[0], window) { MaxPool(kernel: $0, strides: $1, padding: $2) }
    })]
}

/// The greatest of each window, and where it is in x, counted over all of x.
private func maxPoolWithIndices(_ n: NodeContext, _ x: Term, _ window: Window) throws(ApusError) -> [ImportedValue] {
    guard x.isFixed else { throw .unsupported("indices of a pool over a symbolic shape") }
    let isColumnMajor = try n.flag("storage_order")
    let wide = try n.g.widened(x, .arithmetic)
    let padded = try n.g.padded(wide, window, value: wide.dtype.lowest)
    guard window.tapCount <= Emitter.tapLimit else { throw .unsupported("a window of \(window.tapCount) elements") }
    let spatial = Array(x.shape.dimensions.dropFirst(2))
    let counts = spatial.indices.map { window.count($0, over: spatial[$0]) }
    var best: Term?, place: Term?
    for tap in window.taps {
        let seen = try n.g.seen(padded, by: tap, of: window)
        let indices = n.g.constant(try places(x.shape, window, tap, counts, columnMajor: isColumnMajor))
        guard let oldBest = best, let oldPlace = place else {
            (best, place) = (seen, try n.g.expand(indices, to: [seen.shape.dimensions]))
            continue
        }
        let isBetter = try n.g.greater(seen, oldBest)
        (best, place) = (try n.g.maximum(oldBest, seen), try n.g.select(isBetter, indices, oldPlace))
    }
    return [ImportedValue(try n.g.cast(best!, to: x.dtype)), ImportedValue(place!)]
}

/// Where a tap of every window is in x [N, C, …], as i64 of the result's shape.
private func places(
    _ x: Shape, _ window: Window, _ tap: [Int], _ counts: [Int], columnMajor: Bool
) throws(ApusError) -> Constant {
    let spatial = Array(x.dimensions.dropFirst(2)), size = Shape(spatial).count
    try requireTable(Shape([x[0], x[1]] + counts))
    var strides = [Int](repeating: 1, count: spatial.count)
    for axis in spatial.indices.reversed() {
        strides[axis] = columnMajor ? Shape(Array(spatial[..<axis])).count : Shape(Array(spatial[(axis + 1)...])).count
    }
    var offsets = [0]
    for axis in spatial.indices {
        offsets = offsets.flatMap { offset in
            (0..<counts[axis]).map { offset + ($0 * window.strides[axis] + tap[axis] - window.before[axis]) * strides[axis] }
        }
    }
    let all = (0..<x[0] * x[1]).flatMap { plane in offsets.map { Double(plane * size + $0) } }
    return try Constant("", .i64, [x[0], x[1]] + counts, all)
}

private func averagePool(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    let window = try poolWindow(n, x)
    let countsPadding = try n.flag("count_include_pad") && !(window.before + window.declaredAfter).allSatisfy { $0 == 0 }
    return try n.g.computing([x], in: .real) { terms throws(ApusError) in
        if window.fitsPooling && (!countsPadding || window.after == window.declaredAfter) {
            return try n.g.pooling(terms[0], window) {
                AvgPool(kernel: $0, strides: $1, padding: $2, countsPadding: countsPadding)
            }
        }
        let sum = try n.g.taps(of: terms[0], window, padding: 0, n.g.add)
        if countsPadding ? window.after == window.declaredAfter : (window.before + window.after).allSatisfy({ $0 == 0 }) {
            return try n.g.div(sum, try n.g.scalar(Double(window.tapCount), like: sum))
        }
        let divisors = try n.g.divisors(terms[0], window, countsPadding: countsPadding)
        return try n.g.div(sum, try n.g.cast(n.g.constant(divisors), to: sum.dtype))
    }
}

/// Each element back at its place, counted over the image of the pool's own size; zeros elsewhere, and after it.
private func maxUnpool(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), rank = x.rank - 2
    guard let kernel = try n.ints("kernel_shape"), kernel.count == rank else { throw .file("no kernel_shape of \(rank) axes") }
    let strides = try n.ints("strides") ?? kernel.map { _ in 1 }, pads = try n.ints("pads") ?? kernel.map { _ in 0 } + kernel.map { _ in 0 }
    guard strides.count == rank, pads.count == 2 * rank, x.isFixed else { throw .shape("strides \(strides), pads \(pads)") }
    var shape = x.shape.dimensions
    for axis in 0..<rank {
        shape[axis + 2] = (shape[axis + 2] - 1) * strides[axis] + kernel[axis] - pads[axis] - pads[axis + rank]
    }
    guard shape.allSatisfy({ (1...1 << 24).contains($0) }) else { throw .shape("an output of \(shape)") }
    let zeros = try n.g.expand(try n.g.scalar(0, like: x), to: x.shapes.map { _ in shape })
    let y = try n.g.scatter(zeros, try n.g.cast(try n.term(1), to: .i64), x, reduction: "none")
    guard n.has(2) else { return y }
    let wanted = try n.integers(2)
    guard wanted.count == shape.count, zip(wanted, shape).allSatisfy({ $0 >= $1 && $0 <= 1 << 24 }) else {
        throw .shape("output_shape \(wanted), wanted at least \(shape)")
    }
    return try n.g.pad(y, shape.map { _ in 0 }, zip(wanted, shape).map { $0 - $1 })
}

/// (Σ |x|ᵖ)^(1/p) of each window.
private func lpPool(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), p = Double(try n.int("p", 2))
    let window = try poolWindow(n, x)
    return try n.g.computing([x], in: .real) { terms throws(ApusError) in
        let x = terms[0]
        let powers = try n.g.pow(try n.g.abs(x), try n.g.scalar(p, like: x))
        let sum = try n.g.taps(of: powers, window, padding: 0, n.g.add)
        return try n.g.pow(sum, try n.g.scalar(1 / p, like: x))
    }
}

private func globalLpPool(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), p = Double(try n.int("p", 2))
    let powers = try n.g.pow(try n.g.abs(x), try n.g.scalar(p, like: x))
    let sum = try n.g.reduce(.sum, powers, Array(2..<max(2, x.rank)), keep: true)
    return try n.g.pow(sum, try n.g.scalar(1 / p, like: x))
}

extension Window {
    /// Whether the pools of Apus can do it: one axis or two, no dilation, padding less than the kernel.
    var fitsPooling: Bool {
        (1...2).contains(rank) && dilations.allSatisfy { $0 == 1 } && zip(kernel, before).allSatisfy { $0 > $1 }
            && zip(kernel, after).allSatisfy { $0 > $1 }
    }
}

extension DType {
    /// Less than or equal to every number that `Pad` can add.
    fileprivate var lowest: Float {
        switch self {
        case .i8: -128
        case .u8, .u16: 0
        case .i32: Float(Int32.min)
        case .i64: Float(Int64.min)
        default: -.infinity
        }
    }
}

extension Emitter {
    /// Most taps of a window that is taken apart into slices.
    fileprivate static let tapLimit = 1024

    /// Over one axis as over images of one row.
    func pooling(
        _ x: Term, _ window: Window, _ make: (Size2D, Size2D, Padding) -> Operator
    ) throws(ApusError) -> Term {
        if window.rank == 1 {
            let op = make(
                Size2D(1, window.kernel[0]), Size2D(1, window.strides[0]),
                .explicit(top: 0, left: window.before[0], bottom: 0, right: window.after[0]))
            return try channelsFirst(try squeeze(try self(op, try unsqueeze(try channelsLast(x), [1])), [1]))
        }
        let op = make(
            Size2D(window.kernel[0], window.kernel[1]), Size2D(window.strides[0], window.strides[1]),
            .explicit(top: window.before[0], left: window.before[1], bottom: window.after[0], right: window.after[1]))
        return try channelsFirst(try self(op, try channelsLast(x)))
    }

    /// What every tap of the windows sees, combined.
    fileprivate func taps(
        of x: Term, _ window: Window, padding: Float, _ combine: (Term, Term) throws(ApusError) -> Term
    ) throws(ApusError) -> Term {
        guard window.tapCount <= Emitter.tapLimit else {
            throw .unsupported("a window of \(window.tapCount) elements, wanted at most \(Emitter.tapLimit)")
        }
        let padded = try padded(x, window, value: padding)
        var result: Term?
        for tap in window.taps {
            let seen = try seen(padded, by: tap, of: window)
            result = try result.map { r throws(ApusError) in try combine(r, seen) } ?? seen
        }
        return result!
    }

    /// How many elements of each window count: those inside x, and with `countsPadding` those in its declared padding.
    fileprivate func divisors(_ x: Term, _ window: Window, countsPadding: Bool) throws(ApusError) -> Constant {
        var perAxis: [[Double]] = [], total = 1
        for axis in 0..<window.rank {
            let extent = try x.extent(axis + 2)
            total *= max(1, window.count(axis, over: extent))
            try requireTable(total, window.kernel[axis])
            let (low, high) = countsPadding ? (-window.before[axis], extent + window.declaredAfter[axis]) : (0, extent)
            perAxis.append((0..<window.count(axis, over: extent)).map { position in
                let start = position * window.strides[axis] - window.before[axis]
                return Double((0..<window.kernel[axis]).count { (low..<high).contains(start + $0 * window.dilations[axis]) })
            })
        }
        let products = perAxis.reduce([1.0]) { products, counts in products.flatMap { p in counts.map { p * $0 } } }
        return try Constant("", .f32, [1, 1] + perAxis.map { $0.count }, products)
    }
}
