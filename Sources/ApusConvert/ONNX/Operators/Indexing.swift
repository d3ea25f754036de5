import ApusGraph

let indexingOperators: [OnnxOperator] = [
    OnnxOperator("Gather") { n throws(ApusError) -> Term in
        try n.g.gather(try n.term(0), try n.term(1), axis: try n.int("axis", 0))
    },
    OnnxOperator("GatherElements", gatherElements),
    OnnxOperator("GatherND", gatherND),
    OnnxOperator("OneHot", oneHot),
    OnnxOperator("ReverseSequence", reverseSequence),
]

/// y[…, i, …] = x[…, indices[…, i, …], …] along the axis: places in all of x, from the indices and what they lie at.
private func gatherElements(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), indices = try n.g.cast(try n.term(1), to: .i64)
    let axis = try x.axis(try n.int("axis", 0))
    let places = try n.g.elementPlaces(indices, in: x, axis: axis)
    return try n.g.gather(try n.g.reshape(x, [x.shape.count]), places, axis: 0)
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
    guard x.isFixed, indices.isFixed, batch >= 0, batch < indices.rank, batch + width <= x.rank else {
        throw .unsupported("indices \(indices.shape) of x \(x.shape), wanted fixed shapes")
    }
    let rows = x.shape.product(0..<batch + width)
    let table = try n.g.reshape(x, [rows] + x.shape.dimensions[(batch + width)...])
    var places = try n.g.tuplePlaces(indices, x.shape.dimensions[batch..<batch + width].map { $0 })
    let perBatch = x.shape.product(batch..<batch + width)
    var shape = [Int](repeating: 1, count: places.rank)
    shape.replaceSubrange(0..<batch, with: x.shape.dimensions[..<batch])
    try requireTable(x.shape.product(0..<batch))
    let starts = (0..<x.shape.product(0..<batch)).map { Double($0 * perBatch) }
    if batch > 0 { places = try n.g.add(places, n.g.constant(try Constant("", .i64, shape, starts))) }
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
    let x = try n.term(0), lengths = try n.integers(1)
    let batchAxis = try x.axis(try n.int("batch_axis", 1)), timeAxis = try x.axis(try n.int("time_axis", 0))
    let count = try x.extent(batchAxis), time = try x.extent(timeAxis)
    guard lengths.count == count, lengths.allSatisfy({ (0...time).contains($0) }), batchAxis != timeAxis else {
        throw .shape("lengths \(lengths) of x \(x.shape)")
    }
    try requireTable(count, time)
    var sequences: [Term] = []
    for (i, length) in lengths.enumerated() {
        let order = (0..<time).map { $0 < length ? length - 1 - $0 : $0 }
        sequences.append(try n.g.gather(try n.g.slice(x, axis: batchAxis, i, i + 1), order, axis: timeAxis))
    }
    return try n.g.concat(sequences, axis: batchAxis)
}

extension Shape {
    /// How far apart neighbours along each axis are.
    var rowStrides: [Int] { (0..<rank).map { product($0 + 1..<rank) } }
}

extension Emitter {
    /// Indices of which negative ones count from the end, as positive ones.
    func counted(_ indices: Term, from count: Int) throws(ApusError) -> Term {
        let wrapped = try add(indices, try scalar(Double(count), like: indices))
        return try select(try less(indices, try scalar(0, like: indices)), wrapped, indices)
    }

    /// Tuples along the last axis as places among the elements of `extents`.
    func tuplePlaces(_ indices: Term, _ extents: [Int]) throws(ApusError) -> Term {
        let last = indices.rank - 1
        var sum: Term?
        for (i, stride) in Shape(extents).rowStrides.enumerated() {
            let column = try squeeze(try slice(indices, axis: last, i, i + 1), [last])
            let part = try mul(try counted(column, from: extents[i]), try scalar(Double(stride), .i64))
            sum = try sum.map { s throws(ApusError) in try add(s, part) } ?? part
        }
        if let sum { return sum }
        let shape = Array(indices.shape.dimensions.dropLast())
        try requireTable(Shape(shape))
        return constant(try Constant("", .i64, shape, [Double](repeating: 0, count: Shape(shape).count)))
    }
}
