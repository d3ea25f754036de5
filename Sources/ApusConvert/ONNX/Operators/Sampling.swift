import ApusGraph

/// Images sampled at places that are computed.
let samplingOperators: [OnnxOperator] = [
    OnnxOperator("GridSample", since: 16, gridSample),
    OnnxOperator("AffineGrid", since: 20, affineGrid),
]

/// x [N, C, …] at the places of a grid [N, …, axes], whose numbers run from −1 to 1 and name the last axis first.
private func gridSample(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), grid = try n.term(1)
    let axes = x.rank - 2
    guard axes >= 1, grid.rank == x.rank, grid.isFixed(grid.rank - 1), grid.shape.last == axes,
        grid.extents(0) == x.extents(0)
    else { throw .shape("x \(x.shape) at a grid \(grid.shape)") }
    guard (1..<x.rank).allSatisfy({ x.isFixed($0) }) else {
        throw .unsupported("x \(x.shape), wanted fixed extents after the batch")
    }
    let sampler = GridSampler(
        g: n.g, x: x, grid: grid, alignsCorners: try n.flag("align_corners"),
        padding: try n.string("padding_mode", "zeros"))
    switch try n.string("mode", "linear") {
    case "linear", "bilinear": return try sampler.interpolated(linearWeights)
    case "cubic", "bicubic": return try sampler.interpolated { t, g throws(ApusError) in try cubicWeights(t, g) }
    case "nearest": return try sampler.nearest()
    case let mode: throw .unsupported("mode '\(mode)'")
    }
}

/// The weights of the two neighbours of a place t after the first.
func linearWeights(_ t: Term, _ g: Emitter) throws(ApusError) -> [(Int, Term)] {
    [(0, try g.sub(try g.scalar(1, like: t), t)), (1, t)]
}

/// Keys' weights of the four neighbours of a place t after the second.
func cubicWeights(_ t: Term, _ g: Emitter, a: Double = -0.75) throws(ApusError) -> [(Int, Term)] {
    func number(_ value: Double) throws(ApusError) -> Term { try g.scalar(value, like: t) }
    func near(_ d: Term) throws(ApusError) -> Term {
        let line = try g.sub(try g.mul(try number(a + 2), d), try number(a + 3))
        return try g.add(try g.mul(try g.mul(line, d), d), try number(1))
    }
    func far(_ d: Term) throws(ApusError) -> Term {
        var sum = try g.sub(try g.mul(try number(a), d), try number(5 * a))
        sum = try g.add(try g.mul(sum, d), try number(8 * a))
        return try g.sub(try g.mul(sum, d), try number(4 * a))
    }
    let one = try number(1), rest = try g.sub(one, t)
    return [(-1, try far(try g.add(t, one))), (0, try near(t)), (1, try near(rest)), (2, try far(try g.add(rest, one)))]
}

private struct GridSampler {
    let g: Emitter
    let x, grid: Term
    let alignsCorners: Bool
    let padding: String

    private var extents: [Int] { Array(x.shape.dimensions.dropFirst(2)) }

    /// Σ over neighbours of weight·x. `weights` gives those of one axis and how far they are from the floor of the place.
    func interpolated(
        _ weights: (Term, Emitter) throws(ApusError) -> [(Int, Term)]
    ) throws(ApusError) -> Term {
        var perAxis: [[(place: Term, weight: Term)]] = []
        for axis in extents.indices {
            let place = try self.place(axis)
            let floor = try g.floor(place)
            var list: [(place: Term, weight: Term)] = []
            for (offset, weight) in try weights(try g.sub(place, floor), g) {
                list.append((try g.add(floor, try g.scalar(Double(offset), like: floor)), weight))
            }
            perAxis.append(list)
        }
        var sum: Term?
        var choices: [[Int]] = [[]]
        for list in perAxis { choices = choices.flatMap { choice in list.indices.map { choice + [$0] } } }
        for choice in choices {
            let chosen = choice.enumerated().map { perAxis[$0][$1] }
            var weight = chosen[0].weight
            for next in chosen.dropFirst() { weight = try g.mul(weight, next.weight) }
            let part = try g.mul(try taken(chosen.map { $0.place }), try g.unsqueeze(weight, [1]))
            sum = try sum.map { s throws(ApusError) in try g.add(s, part) } ?? part
        }
        return sum!
    }

    func nearest() throws(ApusError) -> Term {
        var places: [Term] = []
        for axis in extents.indices { places.append(try g.round(try place(axis))) }
        return try taken(places)
    }

    /// Where along an axis, in elements [N, …].
    private func place(_ axis: Int) throws(ApusError) -> Term {
        let last = grid.rank - 1, column = extents.count - 1 - axis
        let coordinate = try g.squeeze(try g.slice(grid, axis: last, column, column + 1), [last])
        let length = Double(extents[axis])
        let one = try g.scalar(1, like: coordinate)
        let shifted = try g.add(coordinate, one)
        if alignsCorners { return try border(try g.mul(shifted, try g.scalar((length - 1) / 2, like: coordinate)), axis) }
        let scaled = try g.sub(try g.mul(shifted, try g.scalar(length, like: coordinate)), one)
        return try border(try g.mul(scaled, try g.scalar(0.5, like: coordinate)), axis)
    }

    /// The place where its neighbours hold what they hold there: near the image, or mirrored into it.
    private func border(_ place: Term, _ axis: Int) throws(ApusError) -> Term {
        switch padding {
        // Further out all four neighbours are the edge.
        case "border": return try g.clip(place, -2, Float(extents[axis] + 1))
        case "reflection": return try reflected(place, axis)
        default: return place
        }
    }

    /// Mirrored at the first and the last place, or half an element beyond them.
    private func reflected(_ place: Term, _ axis: Int) throws(ApusError) -> Term {
        let low = alignsCorners ? 0 : -0.5, length = Double(extents[axis]) - (alignsCorners ? 1 : 0)
        if length == 0 { return try g.mul(place, try g.scalar(0, like: place)) }
        func number(_ value: Double) throws(ApusError) -> Term { try g.scalar(value, like: place) }
        let distance = try g.abs(try g.sub(place, try number(low)))
        let rest = try g.remainder(distance, try number(2 * length), truncating: false)
        let folded = try g.minimum(rest, try g.sub(try number(2 * length), rest))
        return try g.add(folded, try number(low))
    }

    /// x [N, C, …] at whole places [N, …], one tensor an axis; 0 outside.
    private func taken(_ places: [Term]) throws(ApusError) -> Term {
        var index: Term?, inside: Term?
        let strides = Shape(extents).rowStrides
        for (axis, place) in places.enumerated() {
            let reflects = padding == "reflection" ? try reflected(place, axis) : place
            let bounded = try g.clip(reflects, 0, Float(extents[axis] - 1))
            let whole = try g.cast(try g.round(bounded), to: .i64)
            let part = try g.mul(whole, try g.scalar(Double(strides[axis]), .i64))
            index = try index.map { i throws(ApusError) in try g.add(i, part) } ?? part
            let isInside = try g.equal(place, try g.clip(place, 0, Float(extents[axis] - 1)))
            inside = try inside.map { i throws(ApusError) in try g.and(i, isInside) } ?? isInside
        }
        let channels = x.shape[1], size = Shape(extents).count
        let outputs = grid.shapes.map { $0.product(1..<$0.rank - 1) }, batches = x.extents(0)
        let starts = try g.mul(try g.range(batches), try g.scalar(Double(size), .i64))
        let rows = try g.add(
            try g.reshape(index!, to: zip(batches, outputs).map { [$0, $1] }),
            try g.reshape(starts, to: batches.map { [$0, 1] }))
        // [N·size, C] by rows, then channels to their place.
        let table = try g.reshape(try g.channelsLast(x), to: batches.map { [$0 * size, channels] })
        let found = try g.transpose(try g.gather(table, rows, axis: 0), [0, 2, 1])
        let y = try g.reshape(found, to: grid.shapes.map { shape in
            [shape[0], channels] + shape.dimensions[1..<shape.rank - 1]
        })
        guard padding == "zeros" else { return y }
        return try g.select(try g.unsqueeze(inside!, [1]), y, try g.scalar(0, like: y))
    }
}

/// θ·(place, 1) for every place of an image of a known size, whose numbers run from −1 to 1.
private func affineGrid(_ n: NodeContext) throws(ApusError) -> Term {
    let theta = try n.term(0), sizes = try n.integerSamples(1), alignsCorners = try n.flag("align_corners")
    let size = sizes[0], extents = Array(size.dropFirst(2)), axes = extents.count
    guard sizes.allSatisfy({ $0.dropFirst(2) == size.dropFirst(2) }) else {
        throw .unsupported("a size \(size) of which a symbolic dimension decides more than the batch")
    }
    guard theta.rank == 3, (2...3).contains(axes), extents.allSatisfy({ $0 >= 1 }) else {
        throw .shape("theta \(theta.shape) of size \(size)")
    }
    try requireTable(Shape(extents + [axes + 1]))
    let count = Shape(extents).count, strides = Shape(extents).rowStrides
    // The last axis first, then 1.
    let elements = (0..<count * (axes + 1)).map { i in
        let axis = axes - 1 - i % (axes + 1)
        guard axis >= 0 else { return 1.0 }
        let extent = extents[axis], place = Double(i / (axes + 1) / strides[axis] % extents[axis]), length = Double(extent)
        return alignsCorners ? (extent == 1 ? -1 : 2 * place / (length - 1) - 1) : (2 * place + 1) / length - 1
    }
    let places = n.g.constant(try Constant("", theta.dtype, [count, axes + 1], elements))
    let y = try n.g.matMul(places, try n.g.transpose(theta, [0, 2, 1]))
    return try n.g.reshape(y, to: theta.shapes.map { [$0[0]] + extents + [axes] })
}
