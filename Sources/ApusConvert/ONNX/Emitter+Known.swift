import ApusGraph

/// What is known at conversion as a term.
extension Emitter {
    /// A constant; where symbolic dimensions decide the elements, what computes them: one element expanded, a few integers
    /// that follow from extents, integers that grow evenly along each axis, or the first elements of a larger constant.
    func materialized(_ constants: [Constant]) throws(ApusError) -> Term {
        if constants.count == 1 { return constant(constants[0]) }
        let largest = constants[0], shapes = constants.map { $0.type.shape.dimensions }
        if let scalar = Constant(repeatedIn: constants) { return try expand(constant(scalar), to: shapes) }
        if constants.allSatisfy({ $0.type.shape == largest.type.shape }) {
            guard largest.type.shape.count <= 64 else {
                throw .unsupported("\(largest.type.shape.count) elements that depend on symbolic dimensions, wanted at most 64")
            }
            return try listed(constants)
        }
        if let term = try evenly(constants) { return term }
        guard constants.allSatisfy({ $0.isLeadingPart(of: largest) }) else {
            throw .unsupported("elements of a shape such as \(largest.type.shape) that depend on a symbolic dimension")
        }
        var x = constant(largest)
        for axis in 0..<x.rank { x = try prefix(x, axis: axis, shapes.map { $0[axis] }) }
        return x
    }

    /// Integers, or real numbers that are whole, each made by itself.
    private func listed(_ constants: [Constant]) throws(ApusError) -> Term {
        let dtype = constants[0].type.dtype
        var samples: [[Double]] = []
        for constant in constants { samples.append(try constant.elements()) }
        var parts: [Term] = []
        for i in samples[0].indices {
            let values = samples.map { $0[i] }
            guard values.allSatisfy({ $0 == $0.rounded() && Swift.abs($0) < 1e9 }) else {
                throw .unsupported("a number such as \(values[0]) that depends on a symbolic dimension")
            }
            parts.append(try reshape(try extentScalar(values.map { Int($0) }, dtype), [1]))
        }
        return try reshape(try concat(parts, axis: 0), constants[0].type.shape.dimensions)
    }

    /// Whole numbers of the form c + k₀·i₀ + k₁·i₁ + …, of which the shape and symbolic dimensions may decide c and k.
    private func evenly(_ constants: [Constant]) throws(ApusError) -> Term? {
        let dtype = constants[0].type.dtype, rank = constants[0].type.shape.rank
        guard dtype == .i64 || dtype == .i32, constants.allSatisfy({ $0.type.shape.count > 0 }) else { return nil }
        var starts: [Int] = [], steps = [[Int?]](repeating: [], count: rank)
        for constant in constants {
            let values = try constant.integers(), shape = constant.type.shape, strides = shape.rowStrides
            try requireTable(shape)
            guard values.allSatisfy({ (-1 << 31...1 << 31).contains($0) }) else { return nil }
            starts.append(values[0])
            for axis in 0..<rank { steps[axis].append(shape[axis] > 1 ? values[strides[axis]] - values[0] : nil) }
            for (place, value) in values.enumerated() {
                let grown = (0..<rank).reduce(values[0]) { sum, axis in
                    sum + place / strides[axis] % shape[axis] * ((steps[axis].last ?? nil) ?? 0)
                }
                guard grown == value else { return nil }
            }
        }
        var sum = try extentScalar(starts, .i64)
        for axis in 0..<rank {
            guard let step = completed(steps[axis]) else { return nil }
            var shape = [Int](repeating: 1, count: rank)
            shape[axis] = -1
            let places = try self(Reshape(shape), try range(constants.map { $0.type.shape[axis] }))
            sum = try add(sum, try mul(places, try extentScalar(step, .i64)))
        }
        return try cast(sum, to: dtype)
    }

    /// The numbers with those that may be any filled in so that extents give them.
    private func completed(_ numbers: [Int?]) -> [Int]? {
        let known = numbers.compactMap { $0 }
        if known.count == numbers.count { return known }
        if known.allSatisfy({ $0 == known[0] }) { return numbers.map { _ in known.first ?? 0 } }
        let extents = symbolicExtents
        let products = extents.flatMap { a in extents.map { b in zip(a, b).map { $0 * $1 } } }
        return (extents + products).first { zip($0, numbers).allSatisfy { $1 == nil || $0 == $1 } }
    }
}

extension Constant {
    /// The one element that all of these consist of; nil where there is no such element.
    fileprivate init?(repeatedIn constants: [Constant]) {
        let dtype = constants[0].type.dtype, size = dtype.bitWidth / 8
        var element: ArraySlice<UInt8>?
        for constant in constants where size > 0 {
            let bytes = Array(constant.bytes)
            for start in stride(from: 0, to: bytes.count, by: size) {
                guard element == nil || element == bytes[start..<start + size] else { return nil }
                element = bytes[start..<start + size]
            }
        }
        guard let element else { return nil }
        self.init("", TensorType(dtype, []), HeapStorage(Array(element)))
    }

    /// Whether it is what lies before some extent of `whole` along every axis.
    fileprivate func isLeadingPart(of whole: Constant) -> Bool {
        let part = type.shape, all = whole.type.shape, size = type.dtype.bitWidth / 8
        guard size > 0, type.dtype == whole.type.dtype, part.rank == all.rank, part.rank > 0,
            (0..<part.rank).allSatisfy({ part[$0] <= all[$0] })
        else { return false }
        if part.count == 0 { return true }
        let last = part.rank - 1, length = part[last] * size
        for row in 0..<part.product(0..<last) {
            var rest = row, start = 0, stride = all[last]
            for axis in (0..<last).reversed() {
                start += rest % part[axis] * stride
                rest /= part[axis]
                stride *= all[axis]
            }
            let there = whole.bytes[start * size..<start * size + length]
            guard bytes[row * length..<(row + 1) * length].elementsEqual(there) else { return false }
        }
        return true
    }
}
