import ApusGraph

let scatteringOperators: [OnnxOperator] = [
    OnnxOperator("ScatterElements", scatterElements),
    OnnxOperator("Scatter", scatterElements),
    OnnxOperator("ScatterND", scatterND),
    OnnxOperator("TensorScatter", tensorScatter),
]

/// updates[…] put at data[…, indices[…], …] along the axis.
private func scatterElements(_ n: NodeContext) throws(ApusError) -> Term {
    let data = try n.term(0), indices = try n.g.cast(try n.term(1), to: .i64)
    let axis = try data.axis(try n.int("axis", 0))
    let places = try n.g.elementPlaces(indices, in: data, axis: axis)
    return try n.g.scatter(data, places, try n.term(2), reduction: try n.string("reduction", "none"))
}

/// Slices of updates put at the tuples of indices.
private func scatterND(_ n: NodeContext) throws(ApusError) -> Term {
    let data = try n.term(0), indices = try n.g.cast(try n.term(1), to: .i64), updates = try n.term(2)
    let width = try indices.extent(indices.rank - 1)
    guard width <= data.rank else { throw .shape("indices \(indices.shape) of data \(data.shape)") }
    let slices = data.shapes.map { $0.product(width..<data.rank) }
    let starts = try n.g.tuplePlaces(indices, (0..<width).map { data.extents($0) })
    let first = try n.g.mul(starts, try n.g.extentScalar(slices, .i64))
    let offsets = try n.g.reshape(try n.g.range(slices), to: slices.map { [1, $0] })
    let places = try n.g.add(try n.g.reshape(first, to: first.shapes.map { [$0.count, 1] }), offsets)
    return try n.g.scatter(data, places, updates, reduction: try n.string("reduction", "none"))
}

/// `update` written into a cache from a place of each example on, round its end if circular.
private func tensorScatter(_ n: NodeContext) throws(ApusError) -> Term {
    let cache = try n.term(0), update = try n.term(1)
    let axis = try cache.axis(try n.int("axis", -2))
    guard cache.isFixed, update.isFixed, cache.rank == update.rank else {
        throw .unsupported("a cache \(cache.shape) and an update \(update.shape), wanted fixed shapes of one rank")
    }
    var shape = [Int](repeating: 1, count: update.rank)
    shape[axis] = update.shape[axis]
    var index = n.g.constant(try Constant("", .i64, shape, (0..<shape[axis]).map { Double($0) }))
    if n.has(2) {
        var starts = [Int](repeating: 1, count: update.rank)
        starts[0] = try n.term(2).extent(0)
        index = try n.g.add(index, try n.g.reshape(try n.g.cast(try n.term(2), to: .i64), starts))
    }
    if try n.string("mode", "linear") == "circular" {
        index = try n.g.remainder(index, try n.g.scalar(Double(cache.shape[axis]), .i64), truncating: true)
    }
    index = try n.g.expand(index, to: update.shapes.map { $0.dimensions })
    return try n.g.scatter(cache, try n.g.elementPlaces(index, in: cache, axis: axis), update, reduction: "none")
}

extension Emitter {
    /// Indices along an axis, which stand in a tensor of the other indices, as places among all elements of x.
    func elementPlaces(_ indices: Term, in x: Term, axis: Int) throws(ApusError) -> Term {
        guard indices.rank == x.rank else { throw .shape("indices \(indices.shape) of \(x.shape), wanted one rank") }
        guard x.isFixed, indices.isFixed else { return try symbolicElementPlaces(indices, in: x, axis: axis) }
        try requireTable(indices.shape)
        let strides = x.shape.rowStrides
        var offsets = [0]
        for i in 0..<x.rank {
            offsets = offsets.flatMap { offset in (0..<indices.shape[i]).map { offset + (i == axis ? 0 : $0 * strides[i]) } }
        }
        let base = constant(try Constant("", .i64, indices.shape.dimensions, offsets.map { Double($0) }))
        let positive = try counted(indices, from: x.extents(axis))
        return try add(try mul(positive, try scalar(Double(strides[axis]), .i64)), base)
    }

    /// The same of shapes that symbolic dimensions decide.
    private func symbolicElementPlaces(_ indices: Term, in x: Term, axis: Int) throws(ApusError) -> Term {
        var sum = try counted(indices, from: x.extents(axis))
        sum = try mul(sum, try extentScalar(x.shapes.map { $0.product(axis + 1..<x.rank) }, .i64))
        for i in 0..<x.rank where i != axis {
            let extents = indices.extents(i), strides = x.shapes.map { $0.product(i + 1..<$0.rank) }
            let column = try reshape(try range(extents), to: extents.map { extent in
                (0..<x.rank).map { $0 == i ? extent : 1 }
            })
            sum = try add(sum, try mul(column, try extentScalar(strides, .i64)))
        }
        return sum
    }

    /// Most updates that are put in one after another.
    private static let updateLimit = 256

    /// The sum of the values that fall on each place of x.
    private func placeSums(_ values: Term, _ places: Term, in x: Term) throws(ApusError) -> Term {
        let wide = try values.dtype == .bool ? cast(values, to: .i32) : widened(values, .signed)
        return try cast(try self(GatherGradient(axis: 0), wide, places, x), to: values.dtype)
    }

    /// data with updates at places among all its elements. "none" and "add" are sums of what falls on each place;
    /// the others are done one update after another.
    func scatter(_ data: Term, _ places: Term, _ updates: Term, reduction: String) throws(ApusError) -> Term {
        let counts = updates.shapes.map { [$0.count] }
        if counts.allSatisfy({ $0 == [0] }) { return data }
        guard places.shapes.map({ [$0.count] }) == counts else {
            throw .shape("updates \(updates.shape) at \(places.shape.count) places")
        }
        let flat = try reshape(data, to: data.shapes.map { [$0.count] })
        let list = try reshape(places, to: counts), values = try reshape(updates, to: counts)
        var y: Term
        switch reduction {
        case "none", "add":
            let sum = try placeSums(values, list, in: flat)
            if reduction == "add" {
                y = try add(flat, sum)
            } else {
                let ones = try expand(try scalar(1, .f32), to: values.shapes.map { $0.dimensions })
                let isHit = try cast(try placeSums(ones, list, in: flat), to: .bool)
                y = try select(isHit, sum, flat)
            }
        case "mul", "max", "min":
            let count = try data.count(), updateCount = try updates.count()
            guard updateCount <= Emitter.updateLimit else {
                throw .unsupported("\(updateCount) updates by '\(reduction)', wanted at most \(Emitter.updateLimit)")
            }
            try requireTable(count)
            let all = constant(try Constant("", .i64, [count], (0..<count).map { Double($0) }))
            y = flat
            for i in 0..<updateCount {
                let value = try slice(values, axis: 0, i, i + 1)
                let isHere = try equal(all, try slice(list, axis: 0, i, i + 1))
                let new = reduction == "mul" ? try mul(y, value) : reduction == "max" ? try maximum(y, value) : try minimum(y, value)
                y = try select(isHere, new, y)
            }
        default: throw .unsupported("reduction '\(reduction)'")
        }
        return try reshape(y, to: data.shapes.map { $0.dimensions })
    }
}
