import ApusGraph

/// The types of a value with every symbolic dimension at its largest, and at its smallest.
struct TypeBounds: Equatable {
    let largest, smallest: TensorType
}

extension FunctionEditor {
    func types(of operand: Operand) -> TypeBounds { TypeBounds(largest: type(of: operand), smallest: smallestType(of: operand)) }
}

extension ApusGraph.Reshape {
    /// From one type to another of as many elements; nil where more than one extent would have to be found when it runs.
    convenience init?(from: TypeBounds, to: TypeBounds) {
        var shape: [Int] = [], isKept = true
        for i in 0..<to.largest.shape.rank {
            let extents = (to.largest.shape[i], to.smallest.shape[i])
            isKept = isKept && i < from.largest.shape.rank && (from.largest.shape[i], from.smallest.shape[i]) == extents
            shape.append(extents.0 == extents.1 ? extents.0 : isKept ? 0 : -1)
        }
        self.init(shape)
        guard let largest = try? outputTypes([from.largest]), let smallest = try? outputTypes([from.smallest]),
            TypeBounds(largest: largest[0], smallest: smallest[0]) == to
        else { return nil }
    }
}
