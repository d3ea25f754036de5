import ApusGraph

/// The same elements in another shape, which symbolic dimensions may decide.
///
/// A node `Reshape` keeps extents in their places and finds one of the others. What needs more is done in steps.
extension Emitter {
    /// To a shape given per sample.
    func reshape(_ x: Term, to shapes: [[Int]]) throws(ApusError) -> Term {
        let rank = shapes[0].count
        guard rank <= Shape.maximumRank else {
            throw .unsupported("rank \(rank), wanted at most \(Shape.maximumRank)")
        }
        if x.shapes.elementsEqual(shapes, by: { $0 == Shape($1) }) { return x }
        if x.shapes.allSatisfy({ $0.count == 0 }) { return try expand(try scalar(0, like: x), to: shapes) }
        if let y = try reshapeOnce(x, shapes) { return y }
        guard let between = Emitter.firstGroup(of: x, shapes) else { return try reshapeLike(x, shapes) }
        if let y = try reshapeOnce(x, between) { return try reshape(y, to: shapes) }
        return try reshape(try reshapeLike(x, between), to: shapes)
    }

    /// By nodes `Reshape` and transposes around them; nil where those cannot.
    private func reshapeOnce(_ x: Term, _ shapes: [[Int]]) throws(ApusError) -> Term? {
        if let y = try reshapeAtOnce(x, shapes) { return y }
        if let y = try reshapeAligned(x, shapes) { return y }
        return try reshapeAround(x, shapes)
    }

    /// To the shape of another value, which is made if there is none.
    private func reshapeLike(_ x: Term, _ shapes: [[Int]]) throws(ApusError) -> Term {
        if let like = terms.first(where: { $0.shapes.elementsEqual(shapes, by: { $0 == Shape($1) }) }) {
            return try self(ReshapeLike(), x, like)
        }
        return try self(ReshapeLike(), x, try expand(try scalar(1, .bool), to: shapes))
    }

    /// As one node; nil where more than one symbolic extent is at a new place.
    private func reshapeAtOnce(_ x: Term, _ shapes: [[Int]]) throws(ApusError) -> Term? {
        if x.shapes.elementsEqual(shapes, by: { $0 == Shape($1) }) { return x }
        guard let extents = Emitter.extents((0..<x.rank).map { x.extents($0) }, shapes) else { return nil }
        return try self(Reshape(extents), x)
    }

    /// With the trailing axes at one place before and after, by axes of extent 1, so that they are kept there.
    private func reshapeAligned(_ x: Term, _ shapes: [[Int]]) throws(ApusError) -> Term? {
        let full = Swift.max(x.rank, shapes[0].count)
        func aligned(_ shape: [Int]) -> [Int] {
            shape.prefix(1) + [Int](repeating: 1, count: Swift.max(0, full - shape.count)) + shape.dropFirst()
        }
        var y: Term? = x
        for step in [x.shapes.map { aligned($0.dimensions) }, shapes.map(aligned), shapes] {
            if let last = y { y = try reshapeAtOnce(last, step) }
        }
        return y
    }

    /// The attribute of `Reshape` that makes these shapes of a value with these extents along its axes, if one does.
    private static func extents(_ sources: [[Int]], _ shapes: [[Int]]) -> [Int]? {
        var extents: [Int] = []
        for axis in shapes[0].indices {
            let wanted = shapes.map { $0[axis] }
            if wanted.allSatisfy({ $0 == wanted[0] }) && wanted[0] > 0 {
                extents.append(wanted[0])
            } else if axis < sources.count && sources[axis] == wanted {
                extents.append(0)
            } else if !extents.contains(-1) {
                extents.append(-1)
            } else {
                return nil
            }
        }
        return extents
    }

    /// With the symbolic extents that stay moved to the front, where they keep their places.
    private func reshapeAround(_ x: Term, _ shapes: [[Int]]) throws(ApusError) -> Term? {
        var before: [Int] = [], after: [Int] = []
        for (i, j) in Emitter.boundaries(x, shapes)
        where i < x.rank && j < shapes[0].count && !x.isFixed(i) && x.extents(i) == shapes.map({ $0[j] })
            && !before.contains(i) && !after.contains(j)
        {
            before.append(i)
            after.append(j)
        }
        guard !before.isEmpty else { return nil }
        let order = after + shapes[0].indices.filter { !after.contains($0) }
        let moved = shapes.map { shape in order.map { shape[$0] } }
        let front = before + (0..<x.rank).filter { !before.contains($0) }
        guard let extents = Emitter.extents(front.map { x.extents($0) }, moved) else { return nil }
        let y = try self(Reshape(extents), try transpose(x, front))
        return try transpose(y, order.indices.map { axis in order.firstIndex(of: axis)! })
    }

    /// The shape with only the first of the groups of axes changed that change by themselves, if there are several. It has
    /// more leading axes of `shapes` than x has.
    private static func firstGroup(of x: Term, _ shapes: [[Int]]) -> [[Int]]? {
        let kept = shapes[0].indices.prefix { axis in axis < x.rank && x.extents(axis) == shapes.map { $0[axis] } }.count
        for (i, j) in boundaries(x, shapes) where j > kept {
            let between = zip(x.shapes, shapes).map { source, wanted in Array(wanted[..<j] + source.dimensions[i...]) }
            guard between[0].count <= Shape.maximumRank, between != shapes,
                !x.shapes.elementsEqual(between, by: { $0 == Shape($1) })
            else { continue }
            return between
        }
        return nil
    }

    /// Places (i, j) such that the axes before i of x and before j of the shape hold as many elements.
    private static func boundaries(_ x: Term, _ shapes: [[Int]]) -> [(Int, Int)] {
        var places: [(Int, Int)] = []
        for i in 0...x.rank {
            for j in 0...shapes[0].count
            where zip(x.shapes, shapes).allSatisfy({ $0.product(0..<i) == Shape($1).product(0..<j) }) {
                places.append((i, j))
            }
        }
        return places
    }
}
