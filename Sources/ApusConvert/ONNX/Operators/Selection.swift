import ApusGraph

/// Operators that choose elements. Where their number depends on data, room is made for all of them and a symbolic
/// dimension takes the number at run time.
let selectionOperators: [OnnxOperator] = [
    OnnxOperator("TopK", since: 10, topK),
    OnnxOperator("NonZero", nonZero),
    OnnxOperator("Compress", compress),
    OnnxOperator("NonMaxSuppression", nonMaxSuppression),
    OnnxOperator("Unique", unique),
]

/// The k largest or smallest along an axis; k may be the smaller of a number and the extent.
private func topK(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let x = try n.term(0)
    let axis = try x.axis(try n.int("axis", -1)), extents = x.extents(axis)
    let samples = try n.integerSamples(1).map { $0.first ?? -1 }
    guard let k = samples.max(), k >= 0, zip(samples, extents).allSatisfy({ $0 == min(k, $1) }) else {
        throw .unsupported("the first \(samples[0]) of \(extents[0]), wanted a fixed number of at least 0, or all there are")
    }
    let (values, indices) = try n.g.topK(x, k, axis: axis, smallest: try !n.flag("largest", true))
    return [ImportedValue(values), ImportedValue(indices)]
}

private func nonZero(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    if x.rank == 0 { throw .unsupported("a scalar, wanted at least rank 1") }
    return try n.g.transpose(try n.g.nonZero(x), [1, 0])
}

/// The slices along an axis, or of the flattened input, for which a condition holds.
private func compress(_ n: NodeContext) throws(ApusError) -> Term {
    var x = try n.term(0), axis = 0
    if n.hasAttribute("axis") { axis = try x.axis(try n.int("axis")) } else { x = try n.g.reshape(x, [try x.count()]) }
    let condition = try n.term(1)
    guard condition.rank == 1, zip(condition.extents(0), x.extents(axis)).allSatisfy({ $0 <= $1 }) else {
        throw .shape("a condition of shape \(condition.shape) over axis \(axis) of \(x.shape)")
    }
    return try n.g.gather(x, try n.g.squeeze(try n.g.nonZero(condition), [1]), axis: axis)
}

private func nonMaxSuppression(_ n: NodeContext) throws(ApusError) -> Term {
    let maximum = n.has(2) ? try n.integer(2) : 0
    let op = NonMaxSuppression(
        maximumPerClass: max(0, min(maximum, Int(Int32.max))), iouThreshold: n.has(3) ? Float(try n.number(3)) : 0,
        scoreThreshold: n.has(4) ? Float(try n.number(4)) : nil, isCentered: try n.int("center_point_box", 0) != 0)
    let outputs = try n.g.emit(op, [try n.term(0), try n.term(1)])
    return try n.g.trim(outputs[0], outputs[1])
}

/// The distinct elements, or slices along an axis: those that differ from the one before in sorted order. Then where each
/// stood first, which of them each element is, and how many there are of each.
private func unique(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let x = try n.term(0), axis = n.hasAttribute("axis") ? try x.axis(try n.int("axis")) : nil
    let rows = axis == nil ? try n.g.reshape(x, [try x.count()]) : try n.g.moveAxis(x, from: axis!, to: 0)
    let count = try rows.extent(0), width = rows.shape.product(1..<rows.rank)
    guard rows.isFixed, count > 0, width > 0, width <= 64 else {
        throw .unsupported("slices of \(width) elements of \(x.shape), wanted a fixed shape and 1 ... 64")
    }
    let g = n.g, table = try g.reshape(rows, [count, width])
    // Sorting by the last column first, stably, sorts by all.
    var order = try g.indices(0..<count)
    for column in (0..<width).reversed() {
        let keys = try g.gather(try g.squeeze(try g.slice(table, axis: 1, column, column + 1), [1]), order, axis: 0)
        order = try g.gather(order, try g.topK(keys, count, axis: 0, smallest: true).indices, axis: 0)
    }
    let sorted = try g.gather(table, order, axis: 0)
    let changes = try g.not(try g.equal(try g.slice(sorted, axis: 0, 1, count), try g.slice(sorted, axis: 0, 0, count - 1)))
    let isNew = try g.reduce(.max, try g.cast(changes, to: .i32), [1], keep: false)
    let isFirst = try g.concat([g.constant(try Constant("", .i32, [1], [1])), isNew], axis: 0)
    let starts = try g.squeeze(try g.nonZero(isFirst), [1])
    // Places in sorted order → numbers of distinct elements → places of the input.
    let number = try g.sub(try g.cast(try g.cumulate(isFirst, axis: 0, g.add), to: .i64), try g.scalar(1, .i64))
    var inverse = try g.gather(number, try g.inverse(order, count), axis: 0)
    let end = g.constant(try Constant("", .i64, [1], [Double(count)]))
    let next = try g.concat([try g.slice(starts, axis: 0, 1, Int(Int32.max)), end], axis: 0)
    var counts = try g.sub(next, starts)
    var first = try g.gather(order, starts, axis: 0)
    if try !n.flag("sorted", true) {
        let byPlace = try g.topK(first, count, axis: 0, smallest: true)
        first = byPlace.values
        counts = try g.gather(counts, byPlace.indices, axis: 0)
        inverse = try g.gather(try g.inverse(byPlace.indices, count), inverse, axis: 0)
    }
    let values = try g.gather(rows, first, axis: 0)
    let y = try axis.map { axis throws(ApusError) in try g.moveAxis(values, from: 0, to: axis) } ?? values
    return [y, first, inverse, counts].map { ImportedValue($0) }
}

extension Emitter {
    func topK(_ x: Term, _ k: Int, axis: Int, smallest: Bool) throws(ApusError) -> (values: Term, indices: Term) {
        let isHalf = x.dtype == .f16 || x.dtype == .bf16
        let outputs = try emit(TopK(k, axis: axis, smallest: smallest), [isHalf ? try cast(x, to: .f32) : x])
        return (try cast(outputs[0], to: x.dtype), outputs[1])
    }

    /// The indices [n, rank] of the elements that are not 0.
    func nonZero(_ x: Term) throws(ApusError) -> Term {
        let isHalf = x.dtype == .f16 || x.dtype == .bf16
        let outputs = try emit(NonZero(), [isHalf ? try cast(x, to: .f32) : x])
        return try trim(outputs[0], outputs[1])
    }

    /// A permutation's inverse.
    fileprivate func inverse(_ permutation: Term, _ count: Int) throws(ApusError) -> Term {
        try topK(permutation, count, axis: 0, smallest: true).indices
    }

    fileprivate func indices(_ range: Range<Int>) throws(ApusError) -> Term {
        try requireTable(range.count)
        return constant(try Constant("", .i64, [range.count], range.map { Double($0) }))
    }
}
