import ApusGraph

let indexingOperators: [OnnxOperator] = [
    OnnxOperator("Gather", gather),
    OnnxOperator("GatherElements", gatherElements),
    OnnxOperator("GatherND", gatherND),
    OnnxOperator("OneHot", oneHot),
    OnnxOperator("ReverseSequence", reverseSequence),
]

/// y[…, i, …, j, …] = x[…, indices[i, …], j, …]; at one index that is known, a slice without its axis.
private func gather(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), axis = try x.axis(try n.int("axis", 0))
    guard n.isKnown(1), try n.rank(1) == 0, x.dtype.isFloat, let index = try n.integers(1).first,
        x.extents(axis).allSatisfy({ (-$0..<$0).contains(index) })
    else { return try n.g.gather(x, try n.term(1), axis: axis) }
    let end = index == -1 ? Int(Int32.max) : index + 1
    return try n.g.squeeze(try n.g.slice(x, axis: axis, index, end), [axis])
}

/// y[…, i, …] = x[…, indices[…, i, …], …] along the axis: places in all of x, from the indices and what they lie at.
private func gatherElements(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), indices = try n.g.cast(try n.term(1), to: .i64)
    let axis = try x.axis(try n.int("axis", 0))
    let places = try n.g.elementPlaces(indices, in: x, axis: axis)
    return try n.g.gather(try n.g.reshape(x, to: x.shapes.map { [$0.count] }), places, axis: 0)
}

/// Slices of x at tuples of indices, which are the last axis.
private func gatherND(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), indices = try n.g.cast(try n.term(1), to: .i64)
    let batch = try n.int("batch_dims", 0)
    let width = try indices.extent(indices.rank - 1)
    if batch == 0, try takesAllInOrder(n, x, width: width) {
        return try n.g.reshape(x, to: x.types.indices.map { sample in
            indices.types[sample].shape.dimensions.dropLast() + x.types[sample].shape.dimensions.dropFirst(width)
        })
    }
    guard batch >= 0, batch < indices.rank, batch + width <= x.rank else {
        throw .shape("indices \(indices.shape) of x \(x.shape) in a batch of \(batch) axes")
    }
    let table = try n.g.reshape(x, to: x.shapes.map {
        [$0.product(0..<batch + width)] + $0.dimensions[(batch + width)...]
    })
    var places = try n.g.tuplePlaces(indices, (batch..<batch + width).map { x.extents($0) })
    for axis in 0..<batch {
        // Where an example of the batch begins in the table.
        let starts = try n.g.mul(
            try n.g.range(x.extents(axis)),
            try n.g.extentScalar(x.shapes.map { $0.product(axis + 1..<batch + width) }, .i64))
        let rank = places.rank
        let column = x.extents(axis).map { extent in (0..<rank).map { $0 == axis ? extent : 1 } }
        places = try n.g.add(places, try n.g.reshape(starts, to: column))
    }
    return try n.g.gather(table, places, axis: 0)
}

/// Whether indices are known and name every slice of x, one after the other.
private func takesAllInOrder(_ n: NodeContext, _ x: Term, width: Int) throws(ApusError) -> Bool {
    guard let samples = try n.imported(1).known, width <= x.rank else { return false }
    for (sample, type) in x.types.enumerated() {
        let strides = Shape(Array(type.shape.dimensions.prefix(width))).rowStrides
        let integers = try samples[samples.count == 1 ? 0 : sample].integers()
        guard width > 0, integers.count == type.shape.product(0..<width) * width else { return false }
        for place in 0..<integers.count / width {
            let tuple = integers[place * width..<(place + 1) * width]
            guard zip(tuple, strides).allSatisfy({ $0 >= 0 && $0 < Shape.maximumExtent && $1 >= 0 }),
                zip(tuple, strides).reduce(0, { $0 + $1.0 * $1.1 }) == place
            else { return false }
        }
    }
    return true
}

/// values[1] where the index is, values[0] elsewhere, along a new axis.
private func oneHot(_ n: NodeContext) throws(ApusError) -> Term {
    let depth = try n.integer(1), values = try n.term(2)
    var indices = try n.term(0)
    if indices.dtype != .i32 { indices = try n.g.cast(indices, to: .i64) }
    let onehot = try n.g(OneHot(depth: depth), indices)
    let rank = onehot.rank
    let axis = try onehot.axis(try n.int("axis", -1))
    let isOn = try n.g.cast(try n.g.moveAxis(onehot, from: rank - 1, to: axis), to: .bool)
    return try n.g.select(isOn, try n.g.slice(values, axis: 0, 1, 2), try n.g.slice(values, axis: 0, 0, 1))
}

/// The first elements of each sequence of a batch in reverse order.
private func reverseSequence(_ n: NodeContext) throws(ApusError) -> Term {
    let g = n.g, x = try n.term(0), lengths = try n.term(1)
    let batchAxis = try x.axis(try n.int("batch_axis", 1)), timeAxis = try x.axis(try n.int("time_axis", 0))
    let batch = x.extents(batchAxis), time = x.extents(timeAxis)
    guard x.rank >= 2, batchAxis != timeAxis, lengths.rank == 1, lengths.extents(0) == batch else {
        throw .shape("lengths \(lengths.shape) of x \(x.shape), wanted one for each along axis \(batchAxis)")
    }
    if n.isKnown(1), let length = try n.integers(1).first(where: { length in time.contains { !(0...$0).contains(length) } }) {
        throw .shape("a length of \(length), wanted 0 ... \(time.min() ?? 0)")
    }
    // Where each step comes from among the steps of all sequences.
    let most = try g.extentScalar(time, .i64), step = try g.range(time)
    let length = try g.minimum(try g.unsqueeze(try g.cast(lengths, to: .i64), [1]), most)
    let mirrored = try g.sub(try g.sub(length, try g.scalar(1, .i64)), step)
    let source = try g.select(try g.less(step, length), mirrored, step)
    let places = try g.add(source, try g.unsqueeze(try g.mul(try g.range(batch), most), [1]))
    let order = [batchAxis, timeAxis] + (0..<x.rank).filter { $0 != batchAxis && $0 != timeAxis }
    let sequences = try g.transpose(x, order)
    let steps = try g.reshape(sequences, to: sequences.shapes.map { [$0[0] * $0[1]] + $0.dimensions.dropFirst(2) })
    return try g.transpose(try g.gather(steps, places, axis: 0), order.indices.map { order.firstIndex(of: $0)! })
}

extension Shape {
    /// How far apart neighbours along each axis are.
    var rowStrides: [Int] { (0..<rank).map { product($0 + 1..<rank) } }
}

extension Emitter {
    /// Indices of which negative ones count from the end of an extent given per sample, as positive ones.
    func counted(_ indices: Term, from extents: [Int]) throws(ApusError) -> Term {
        let wrapped = try add(indices, try extentScalar(extents, indices.dtype))
        return try select(try less(indices, try scalar(0, like: indices)), wrapped, indices)
    }

    /// Tuples along the last axis, of i64, as places among the elements of axes whose extents are given per sample.
    func tuplePlaces(_ indices: Term, _ extents: [[Int]]) throws(ApusError) -> Term {
        let last = indices.rank - 1
        var sum: Term?
        for (i, extent) in extents.enumerated() {
            let stride = samples.values.indices.map { sample in extents[(i + 1)...].reduce(1) { $0 * $1[sample] } }
            let column = try squeeze(try slice(indices, axis: last, i, i + 1), [last])
            let part = try mul(try counted(column, from: extent), try extentScalar(stride, .i64))
            sum = try sum.map { s throws(ApusError) in try add(s, part) } ?? part
        }
        if let sum { return sum }
        return try expand(try scalar(0, .i64), to: indices.shapes.map { Array($0.dimensions.dropLast()) })
    }
}
