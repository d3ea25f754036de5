import ApusGraph

let movementOperators: [OnnxOperator] = [
    OnnxOperator("Reshape", reshape),
    OnnxOperator("Flatten", flatten),
    OnnxOperator("Transpose", transpose),
    OnnxOperator("Squeeze") { n throws(ApusError) in try squeeze(n, axes: try n.ints("axes")) },
    OnnxOperator("Squeeze", since: 13) { n throws(ApusError) in try squeeze(n, axes: n.has(1) ? try n.integers(1) : nil) },
    OnnxOperator("Unsqueeze") { n throws(ApusError) in try unsqueeze(n, axes: try n.ints("axes") ?? []) },
    OnnxOperator("Unsqueeze", since: 13) { n throws(ApusError) in try unsqueeze(n, axes: try n.integers(1)) },
    OnnxOperator("Expand", expand),
    OnnxOperator("Tile", tile),
    OnnxOperator("Concat", concat),
    OnnxOperator("Split") { n throws(ApusError) in try split(n, sizes: try n.ints("split")) },
    OnnxOperator("Split", since: 13) { n throws(ApusError) in try split(n, sizes: n.has(1) ? try n.integers(1) : nil) },
    OnnxOperator("Slice", sliceByAttributes),
    OnnxOperator("Slice", since: 10, sliceByInputs),
    OnnxOperator("DepthToSpace", depthToSpace),
    OnnxOperator("SpaceToDepth", spaceToDepth),
]

// MARK: Shapes

private func reshape(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    let keepsZero = try n.flag("allowzero")
    var shapes: [[Int]] = []
    for (sample, (source, wanted)) in zip(x.shapes, try n.integerSamples(1)).enumerated() {
        var shape = wanted
        var mismatch: ApusError { n.g.error(.shape("reshape of \(source) to \(wanted)"), atSample: sample) }
        for (axis, extent) in shape.enumerated() where extent == 0 && !keepsZero {
            guard axis < source.rank else { throw .shape("extent 0 at \(axis) of a reshape of \(source)") }
            shape[axis] = source[axis]
        }
        guard shape.allSatisfy({ $0 >= -1 }), shape.count(where: { $0 == -1 }) <= 1 else {
            throw .shape("reshape to \(wanted), wanted at most one -1")
        }
        if let inferred = shape.firstIndex(of: -1) {
            shape[inferred] = 1
            let known = Shape(shape).count
            guard known > 0, source.count % known == 0 else { throw mismatch }
            shape[inferred] = source.count / known
        }
        guard shape.count <= Shape.maximumRank, Shape(shape).count == source.count else { throw mismatch }
        shapes.append(shape)
    }
    return try n.g.reshape(x, to: shapes)
}

private func flatten(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    let axis = try n.int("axis", 1)
    return try n.g.flattened(x, rows: axis == x.rank ? axis : try x.axis(axis))
}

private func transpose(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    let permutation = try n.ints("perm") ?? Array((0..<x.rank).reversed())
    guard permutation.sorted() == Array(0..<x.rank) else {
        throw .shape("permutation \(permutation) of rank \(x.rank)")
    }
    return try n.g.transpose(x, permutation)
}

private func squeeze(_ n: NodeContext, axes: [Int]?) throws(ApusError) -> [ImportedValue] {
    let x = try n.term(0)
    var list: [Int] = []
    if let axes {
        for axis in axes { list.append(try x.axis(axis)) }
    } else {
        list = (0..<x.rank).filter { x.extents($0).allSatisfy { $0 == 1 } }
    }
    return [ImportedValue(try n.g.squeeze(x, list))]
}

private func unsqueeze(_ n: NodeContext, axes: [Int]) throws(ApusError) -> [ImportedValue] {
    let x = try n.term(0)
    let rank = x.rank + axes.count
    guard rank <= Shape.maximumRank else { throw .unsupported("rank \(rank), wanted at most \(Shape.maximumRank)") }
    let list = axes.map { $0 < 0 ? $0 + rank : $0 }
    guard Set(list).count == list.count, list.allSatisfy({ (0..<rank).contains($0) }) else {
        throw .shape("axes \(axes) to insert into \(x.shape)")
    }
    return [ImportedValue(try n.g.unsqueeze(x, list))]
}

private func expand(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    var shapes: [[Int]] = []
    for (source, wanted) in zip(x.shapes, try n.integerSamples(1)) {
        guard wanted.count <= Shape.maximumRank, wanted.allSatisfy({ $0 >= 0 }) else {
            throw .shape("expansion to \(wanted)")
        }
        shapes.append(try Shape.broadcast(source, Shape(wanted)).dimensions)
    }
    return try n.g.expand(x, to: shapes)
}

private func tile(_ n: NodeContext) throws(ApusError) -> Term {
    var x = try n.term(0)
    let repeats = try n.integerSamples(1)
    guard repeats[0].count == x.rank, repeats.allSatisfy({ $0.allSatisfy { $0 >= 0 } }) else {
        throw .shape("repeats \(repeats[0]) of \(x.shape)")
    }
    for axis in 0..<x.rank where repeats.contains(where: { $0[axis] != 1 }) {
        let wide = try n.g.unsqueeze(x, [axis])
        var shapes = wide.shapes.map { $0.dimensions }
        for i in shapes.indices { shapes[i][axis] = repeats[i][axis] }
        let tiled = try n.g.expand(wide, to: shapes)
        x = try n.g.reshape(tiled, to: tiled.shapes.map { shape in
            var dimensions = shape.dimensions
            dimensions[axis + 1] *= dimensions[axis]
            dimensions.remove(at: axis)
            return dimensions
        })
    }
    return x
}

// MARK: Pieces

private func concat(_ n: NodeContext) throws(ApusError) -> Term {
    let terms = try n.terms()
    guard let first = terms.first else { throw .file("no inputs, wanted one or more") }
    return try n.g.concat(terms, axis: try first.axis(try n.int("axis", n.version < 4 ? 1 : nil)))
}

private func split(_ n: NodeContext, sizes: [Int]?) throws(ApusError) -> [ImportedValue] {
    let x = try n.term(0)
    let axis = try x.axis(try n.int("axis", 0))
    if n.node.outputs.count == 1 && (sizes?.count ?? 1) == 1 { return [ImportedValue(x)] }
    var pieces: [Int]
    if let sizes {
        pieces = sizes
    } else {
        let count = try n.int("num_outputs", n.node.outputs.count), extent = try x.extent(axis)
        guard (1...Split.maximumPieces).contains(count) else {
            throw .shape("\(count) outputs, wanted 1 ... \(Split.maximumPieces)")
        }
        let size = (extent + count - 1) / count
        pieces = [Int](repeating: size, count: count - 1)
        pieces.append(extent - size * (count - 1))
    }
    return try n.g.split(x, axis: axis, pieces).map { ImportedValue($0) }
}

private func sliceByAttributes(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    guard let starts = try n.ints("starts"), let ends = try n.ints("ends") else {
        throw .file("no starts and ends, wanted both")
    }
    let axes = try n.ints("axes") ?? Array(starts.indices)
    func spread(_ values: [Int]) -> [[Int]] { [[Int]](repeating: values, count: x.types.count) }
    return try slice(n, x, axes, spread(starts), spread(ends), [Int](repeating: 1, count: starts.count))
}

private func sliceByInputs(_ n: NodeContext) throws(ApusError) -> Term {
    let starts = try n.integerSamples(1)
    let axes = n.has(3) ? try n.integers(3) : Array(starts[0].indices)
    let steps = n.has(4) ? try n.integers(4) : [Int](repeating: 1, count: starts[0].count)
    return try slice(n, try n.term(0), axes, starts, try n.integerSamples(2), steps)
}

private func slice(
    _ n: NodeContext, _ x: Term, _ axes: [Int], _ starts: [[Int]], _ ends: [[Int]], _ steps: [Int]
) throws(ApusError) -> Term {
    guard starts[0].count == axes.count, ends[0].count == axes.count, steps.count == axes.count else {
        throw .file("\(starts[0].count) starts, \(ends[0].count) ends, \(axes.count) axes and \(steps.count) steps")
    }
    var x = x
    var list: [Int] = [], first: [Int] = [], last: [Int] = [], strides: [Int] = []
    for (i, axis) in axes.enumerated() {
        let axis = try x.axis(axis)
        let start = starts.map { $0[i] }, end = ends.map { $0[i] }, extents = x.extents(axis)
        if let start = bound(start, extents), let end = bound(end, extents) {
            list.append(axis)
            first.append(start)
            last.append(end)
            strides.append(steps[i])
        } else {
            x = try gatheredSlice(n, x, axis, start, end, steps[i])
        }
    }
    return list.isEmpty ? x : try n.g(Slice(axes: list, starts: first, ends: last, steps: strides), x)
}

/// A position along an axis as `Slice` takes it: a number, or one counted from the end where the extent is symbolic.
private func bound(_ positions: [Int], _ extents: [Int]) -> Int? {
    if positions.allSatisfy({ $0 == positions[0] }) {
        return max(Int(Int32.min), min(Int(Int32.max), positions[0]))
    }
    if zip(positions, extents).allSatisfy({ $0 >= $1 }) { return Int(Int32.max) }
    let fromEnd = positions[0] - extents[0]
    return fromEnd < 0 && zip(positions, extents).allSatisfy({ $0 - $1 == fromEnd }) ? fromEnd : nil
}

/// A slice whose positions symbolic dimensions decide: the elements at start, start + step, ….
private func gatheredSlice(
    _ n: NodeContext, _ x: Term, _ axis: Int, _ starts: [Int], _ ends: [Int], _ step: Int
) throws(ApusError) -> Term {
    guard step > 0, step <= Int(Int32.max) else { throw .unsupported("a slice by \(step) to a symbolic extent") }
    func clamped(_ positions: [Int]) -> [Int] {
        zip(positions, x.extents(axis)).map { position, extent in
            max(0, min(extent, position < 0 ? max(position, -extent) + extent : position))
        }
    }
    let first = clamped(starts), counts = zip(first, clamped(ends)).map { (max(0, $1 - $0) + step - 1) / step }
    guard step > 1 || first.contains(where: { $0 != 0 }) else { return try n.g.prefix(x, axis: axis, counts) }
    let places = try n.g.mul(try n.g.range(counts), try n.g.scalar(Double(step), .i64))
    return try n.g.gather(x, try n.g.add(places, try n.g.extentScalar(first, .i64)), axis: axis)
}

// MARK: Blocks

/// [N, C·b·b, H, W] → [N, C, H·b, W·b].
private func depthToSpace(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), b = try n.int("blocksize")
    guard x.rank == 4, (1...1 << 15).contains(b), try x.extent(1) % (b * b) == 0 else { throw .shape("\(x.shape) in blocks of \(b)") }
    let depthFirst = try n.string("mode", "DCR") == "DCR"
    let split = try n.g.reshape(x, to: x.shapes.map {
        depthFirst ? [$0[0], b, b, $0[1] / (b * b), $0[2], $0[3]] : [$0[0], $0[1] / (b * b), b, b, $0[2], $0[3]]
    })
    let moved = try n.g.transpose(split, depthFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3])
    return try n.g.reshape(moved, to: x.shapes.map { [$0[0], $0[1] / (b * b), $0[2] * b, $0[3] * b] })
}

/// [N, C, H·b, W·b] → [N, b·b·C, H, W].
private func spaceToDepth(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), b = try n.int("blocksize")
    guard x.rank == 4, (1...1 << 15).contains(b), x.shapes.allSatisfy({ $0[2] % b == 0 && $0[3] % b == 0 }) else {
        throw .shape("\(x.shape) in blocks of \(b)")
    }
    let split = try n.g.reshape(x, to: x.shapes.map { [$0[0], $0[1], $0[2] / b, b, $0[3] / b, b] })
    let depthFirst = try n.string("mode", "DCR") == "DCR"
    let moved = try n.g.transpose(split, depthFirst ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4])
    return try n.g.reshape(moved, to: x.shapes.map { [$0[0], $0[1] * b * b, $0[2] / b, $0[3] / b] })
}
