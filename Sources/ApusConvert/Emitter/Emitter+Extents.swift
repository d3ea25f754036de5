import ApusGraph

/// Values that symbolic dimensions decide, made from values that have such extents.
extension Emitter {
    /// 0, 1, … before an extent given per sample, of i64.
    func range(_ extents: [Int]) throws(ApusError) -> Term {
        if let found = rangesByExtents[extents] { return found }
        let most = extents.max() ?? 0
        try requireTable(most)
        let all = constant(try Constant("", .i64, [most], (0..<most).map { Double($0) }))
        var range = all
        if extents.contains(where: { $0 != most }) {
            // What follows all `most` numbers is as long as the result: without the last `most` the result is left.
            let tail = try vector(extents)
            let comparison = try equal(tail, tail)
            let joined = try concat([all, try cast(comparison, to: .i64)], axis: 0)
            range = try slice(joined, axis: 0, 0, -most)
        }
        rangesByExtents[extents] = range
        return range
    }

    /// As many first elements of x along an axis as given per sample.
    func prefix(_ x: Term, axis: Int, _ extents: [Int]) throws(ApusError) -> Term {
        x.extents(axis) == extents ? x : try gather(x, try range(extents), axis: axis)
    }

    /// A scalar of a type that is an integer given per sample, which some extents decide.
    func extentScalar(_ values: [Int], _ dtype: DType) throws(ApusError) -> Term {
        if values.allSatisfy({ $0 == values[0] }) { return try scalar(Double(values[0]), dtype) }
        let number: Term
        do throws(ApusError) { number = try extentNumber(values) } catch {
            // One that grows as extents shrink is less 0 a number that grows with them.
            guard error.code == .unsupported else { throw error }
            let opposite: Term
            do throws(ApusError) { opposite = try extentNumber(values.map { -$0 }) } catch _ { throw error }
            number = try sub(try scalar(0, .i64), opposite)
        }
        return try reshape(try cast(number, to: dtype), [])
    }

    /// The integer as i64 [1], which as many elements of some value tell.
    private func extentNumber(_ values: [Int]) throws(ApusError) -> Term {
        let least = values.min() ?? 0
        // One more than the last number before an extent, which the offset keeps positive.
        let offset = least < 1 ? 1 - least : 0
        let count = try slice(try range(values.map { $0 + offset }), axis: 0, -1, Int(Int32.max))
        return try add(count, try scalar(Double(1 - offset), .i64))
    }

    /// A vector of an extent given per sample, whatever its elements are: along an axis of some value, or made of those.
    func vector(_ extents: [Int]) throws(ApusError) -> Term {
        if let found = try existingVector(extents) { return found }
        let sources = symbolicExtents
        for source in sources {
            if let found = try stretched(source, to: extents) { return found }
            if let found = try thinned(source, to: extents) { return found }
        }
        for (i, a) in sources.enumerated() {
            for b in sources[...i] {
                if zip(zip(a, b), extents).allSatisfy({ $0.0 + $0.1 == $1 }) {
                    return try concat([try plain(a), try plain(b)], axis: 0)
                }
                if zip(zip(a, b), extents).allSatisfy({ $0.0 * $0.1 == $1 }) {
                    let column = try reshape(try plain(a), to: a.map { [$0, 1] })
                    return try self(Reshape([-1]), try and(column, try plain(b)))
                }
            }
        }
        throw .unsupported("an extent such as \(extents[0]), which no value has nor any two make; \(Emitter.dimensionHint)")
    }

    /// The extents that values have along axes and symbolic dimensions decide, each once.
    var symbolicExtents: [[Int]] {
        var sources: [[Int]] = []
        for term in terms where term.dtype.isWidenable {
            for axis in 0..<term.rank where !term.isFixed(axis) && !sources.contains(term.extents(axis)) {
                if term.hasVector(axis) { sources.append(term.extents(axis)) }
            }
        }
        return sources
    }

    /// Along an axis that has the extents.
    private func existingVector(_ extents: [Int]) throws(ApusError) -> Term? {
        for term in terms where term.dtype.isWidenable {
            for axis in 0..<term.rank where term.extents(axis) == extents && term.hasVector(axis) {
                let others = (0..<term.rank).filter { $0 != axis }
                if others.isEmpty { return term }
                let starts = [Int](repeating: 0, count: others.count), ends = [Int](repeating: 1, count: others.count)
                return try self(Reshape([-1]), try self(Slice(axes: others, starts: starts, ends: ends), term))
            }
        }
        return nil
    }

    /// The vector along an axis, of truth values.
    private func plain(_ extents: [Int]) throws(ApusError) -> Term {
        let vector = try vector(extents)
        return vector.dtype == .bool ? vector : try equal(vector, vector)
    }

    /// a·source + b elements.
    private func stretched(_ source: [Int], to extents: [Int]) throws(ApusError) -> Term? {
        guard let other = source.indices.first(where: { source[$0] != source[0] }) else { return nil }
        let rise = extents[other] - extents[0], run = source[other] - source[0]
        guard rise % run == 0, (1...1024).contains(rise / run) else { return nil }
        let a = rise / run, b = extents[0] - a * source[0]
        guard zip(source, extents).allSatisfy({ a * $0 + b == $1 }), Swift.abs(b) <= 1 << 20 else { return nil }
        var vector = try plain(source)
        if a > 1 { vector = try self(Reshape([-1]), try self(Expand([a, 0]), vector)) }
        if b < 0 { return try slice(vector, axis: 0, 0, b) }
        return b == 0 ? vector : try concat([vector, constant(try Constant("", .bool, [b], [Double](repeating: 1, count: b)))], axis: 0)
    }

    /// Every k-th of source's elements from one of the first k on.
    private func thinned(_ source: [Int], to extents: [Int]) throws(ApusError) -> Term? {
        guard extents[0] >= 1, extents[0] < source[0] else { return nil }
        let ratio = source[0] / extents[0]
        for k in Swift.max(2, ratio)...(ratio + 1) {
            for start in 0..<k where zip(source, extents).allSatisfy({ ($0 - start + k - 1) / k == $1 }) {
                return try slice(try plain(source), axis: 0, start, Int(Int32.max), step: k)
            }
        }
        return nil
    }
}

extension Term {
    /// Whether there are elements all along an axis.
    fileprivate func hasVector(_ axis: Int) -> Bool {
        (0..<rank).allSatisfy { $0 == axis || extents($0).allSatisfy { $0 > 0 } }
    }
}
