import ApusGraph

/// What is known at conversion as a term.
extension Emitter {
    /// A constant; where symbolic dimensions decide the elements, what computes them: one element expanded, a few integers
    /// that follow from extents, integers that grow evenly along each axis, or the first elements of a larger constant.
    func materialized(_ constants: [Constant]) throws(ApusError) -> Term {
        if constants.count == 1 { return constant(constants[0]) }
        let largest = constants[0], shapes = constants.map { $0.type.shape.dimensions }
        if let element = Emitter.onlyElement(of: constants) {
            let scalar = Constant("", TensorType(largest.type.dtype, []), HeapStorage(element))
            return try expand(constant(scalar), to: shapes)
        }
        if constants.allSatisfy({ $0.type.shape == largest.type.shape }) {
            guard largest.type.shape.count <= 64 else {
                throw .unsupported("\(largest.type.shape.count) elements that depend on symbolic dimensions, wanted at most 64")
            }
            return try listed(constants)
        }
        if let term = try evenly(constants) { return term }
        guard constants.allSatisfy({ $0.isCorner(of: largest) }) else {
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
            let places = try self(Reshape(shape), try places(constants.map { $0.type.shape[axis] }))
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

    /// The bytes of the one element that all elements are.
    private static func onlyElement(of constants: [Constant]) -> [UInt8]? {
        let size = constants[0].type.dtype.bitWidth / 8
        guard size > 0, let first = constants.first(where: { $0.bytes.count >= size })?.bytes else { return nil }
        for bytes in constants.map({ $0.bytes }) {
            for place in bytes.indices where bytes[place] != first[place % size] { return nil }
        }
        return Array(first[..<size])
    }
}

extension Constant {
    /// Whether its elements are those of `whole` with the smallest indices.
    fileprivate func isCorner(of whole: Constant) -> Bool {
        let size = type.dtype.bitWidth / 8, rank = type.shape.rank
        guard size > 0, whole.type.shape.rank == rank, rank > 0 else { return false }
        for axis in 0..<rank where type.shape[axis] > whole.type.shape[axis] { return false }
        let strides = whole.type.shape.rowStrides, row = type.shape[rank - 1] * size
        for index in 0..<type.shape.product(0..<rank - 1) {
            var rest = index, place = 0
            for axis in (0..<rank - 1).reversed() {
                place += rest % type.shape[axis] * strides[axis]
                rest /= type.shape[axis]
            }
            let here = bytes[index * row..<(index + 1) * row]
            guard here.elementsEqual(whole.bytes[place * size..<place * size + row]) else { return false }
        }
        return true
    }
}
