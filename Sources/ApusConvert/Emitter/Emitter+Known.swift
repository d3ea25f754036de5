import ApusGraph

extension Emitter {
    /// Known elements as a term: a constant. Where symbolic dimensions decide them, one element expanded to their shape,
    /// or the leading part of the largest, such as positions 0, 1, … or the first rows of a table.
    func materialized(_ constants: [Constant]) throws(ApusError) -> Term {
        if constants.count == 1 { return constant(constants[0]) }
        if let scalar = Constant(repeatedIn: constants) {
            return try expand(constant(scalar), to: constants.map { $0.type.shape.dimensions })
        }
        let whole = constants[0]
        guard constants.allSatisfy({ $0.isLeadingPart(of: whole) }) else {
            throw .unsupported("elements that depend on a symbolic dimension")
        }
        var term = constant(whole)
        for axis in 0..<whole.type.shape.rank {
            let extents = constants.map { $0.type.shape[axis] }
            if extents.contains(where: { $0 != extents[0] }) { term = try gather(term, try range(extents), axis: axis) }
        }
        return term
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
