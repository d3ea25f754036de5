import ApusGraph

/// Operators that move elements, with shapes that symbolic dimensions may decide.
extension Emitter {
    /// The same elements in a shape that is fixed.
    func reshape(_ x: Term, _ shape: [Int]) throws(ApusError) -> Term {
        try reshape(x, to: [[Int]](repeating: shape, count: samples.count))
    }

    func transpose(_ x: Term, _ permutation: [Int]) throws(ApusError) -> Term {
        permutation == Array(0..<x.rank) ? x : try self(Transpose(permutation), x)
    }

    /// Axes `from` moved to the place `to`.
    func moveAxis(_ x: Term, from: Int, to: Int) throws(ApusError) -> Term {
        for axis in [from, to] where !(0..<x.rank).contains(axis) { throw .shape("axis \(axis) of \(x.shape)") }
        var permutation = Array(0..<x.rank)
        permutation.insert(permutation.remove(at: from), at: to)
        return try transpose(x, permutation)
    }

    /// With an axis of extent 1 at each of these places of the result.
    func unsqueeze(_ x: Term, _ axes: [Int]) throws(ApusError) -> Term {
        for (i, axis) in axes.sorted().enumerated() where !(0...x.rank + i).contains(axis) {
            throw .shape("an axis at \(axis) of \(x.shape)")
        }
        return try reshape(x, to: x.shapes.map { shape in
            var dimensions = shape.dimensions
            for axis in axes.sorted() { dimensions.insert(1, at: axis) }
            return dimensions
        })
    }

    /// Without these axes, of extent 1.
    func squeeze(_ x: Term, _ axes: [Int]) throws(ApusError) -> Term {
        for axis in axes where !(0..<x.rank).contains(axis) || !x.extents(axis).allSatisfy({ $0 == 1 }) {
            throw .shape("axis \(axis) of \(x.shape) to squeeze, wanted an extent of 1")
        }
        return try reshape(x, to: x.shapes.map { shape in
            shape.dimensions.indices.filter { !axes.contains($0) }.map { shape[$0] }
        })
    }

    /// [d₀·…·d(axis−1), d(axis)·…], the first of them rows.
    func flattened(_ x: Term, rows axis: Int) throws(ApusError) -> Term {
        try reshape(x, to: x.shapes.map { [$0.product(0..<axis), $0.product(axis..<$0.rank)] })
    }

    /// Broadcast to a shape given per sample.
    func expand(_ x: Term, to shapes: [[Int]]) throws(ApusError) -> Term {
        if x.shapes.elementsEqual(shapes, by: { $0 == Shape($1) }) { return x }
        let rank = shapes[0].count
        if shapes[0].contains(0), shapes.allSatisfy({ $0 == shapes[0] }) {
            return constant(try Constant("", x.dtype, shapes[0], []))
        }
        var x = x
        if x.rank < rank { x = try unsqueeze(x, Array(0..<(rank - x.rank))) }
        var fixed = [Int](repeating: 0, count: rank)
        for axis in 0..<rank {
            let wanted = shapes.map { $0[axis] }
            if x.extents(axis) == wanted { continue }
            if !wanted.allSatisfy({ $0 == wanted[0] }) {
                x = try expand(x, axis, wanted)
            } else if wanted[0] == 0 {
                x = try slice(x, axis: axis, 0, 0)
            } else {
                fixed[axis] = wanted[0]
            }
        }
        return fixed.allSatisfy { $0 == 0 } ? x : try self(Expand(fixed), x)
    }

    /// Along one axis of extent 1, to a symbolic extent: x either way, chosen by a vector of it.
    private func expand(_ x: Term, _ axis: Int, _ wanted: [Int]) throws(ApusError) -> Term {
        let vector = try vector(wanted)
        var extents = [Int](repeating: 1, count: x.rank)
        extents[axis] = -1
        let column = try self(Reshape(extents), vector)
        return try select(try equal(column, column), x, x)
    }

    // MARK: Pieces

    func slice(_ x: Term, axis: Int, _ start: Int, _ end: Int, step: Int = 1) throws(ApusError) -> Term {
        try self(Slice(axes: [axis], starts: [start], ends: [end], steps: [step]), x)
    }

    func concat(_ terms: [Term], axis: Int) throws(ApusError) -> Term {
        terms.count == 1 ? terms[0] : try emit(Concat(axis: axis), terms)[0]
    }

    func split(_ x: Term, axis: Int, _ sizes: [Int]) throws(ApusError) -> [Term] {
        try emit(Split(axis: axis, sizes: sizes), [x])
    }

    func gather(_ x: Term, _ indices: Term, axis: Int) throws(ApusError) -> Term {
        try self(Gather(axis: axis), x, try widened(indices, [.i32, .i64]))
    }

    /// At indices that are known.
    func gather(_ x: Term, _ indices: [Int], axis: Int) throws(ApusError) -> Term {
        try gather(x, constant(try Constant("", .i64, [indices.count], indices.map { Double($0) })), axis: axis)
    }

    func pad(
        _ x: Term, _ before: [Int], _ after: [Int], mode: Pad.Mode = .constant, value: Float = 0
    ) throws(ApusError) -> Term {
        before.allSatisfy({ $0 == 0 }) && after.allSatisfy({ $0 == 0 })
            ? x : try self(Pad(before: before, after: after, mode: mode, value: value), x)
    }

    // MARK: Sums and products

    func matMul(_ a: Term, _ b: Term, transposeB: Bool = false) throws(ApusError) -> Term {
        try computing([a, b], in: .real) { terms throws(ApusError) in
            try self(MatMul(transposeB: transposeB), terms[0], terms[1])
        }
    }

    enum Reduce { case sum, mean, max, min }

    /// Over the axes, which must not be empty.
    func reduce(_ kind: Reduce, _ x: Term, _ axes: [Int], keep: Bool) throws(ApusError) -> Term {
        if axes.isEmpty { return x }
        return try computing([x], in: kind == .mean ? .real : .signed) { terms throws(ApusError) in
            switch kind {
            case .sum: try self(Reduction(.sum, axes: axes, keepDimensions: keep), terms[0])
            case .mean: try self(Reduction(.mean, axes: axes, keepDimensions: keep), terms[0])
            case .max: try self(Reduction(.max, axes: axes, keepDimensions: keep), terms[0])
            case .min: try self(Reduction(.min, axes: axes, keepDimensions: keep), terms[0])
            }
        }
    }

    func argMax(_ x: Term, axis: Int, keep: Bool) throws(ApusError) -> Term {
        try self(ArgMax(axis: axis, keepDimensions: keep), try widened(x, .signed))
    }

    func argMin(_ x: Term, axis: Int, keep: Bool) throws(ApusError) -> Term {
        try self(ArgMin(axis: axis, keepDimensions: keep), try widened(x, .signed))
    }
}
