import ApusGraph

extension LayerContext {
    /// The rows of a table [positions, …] at the positions of a sequence's elements (axis 1): the first ones; in a step those from
    /// the stream's position on.
    func rows(of table: Value, along x: Value) throws(ApusError) -> Value {
        let length = table.shape[0], count = x.shape[1]
        guard count <= length else { throw .shape("a sequence of \(count) elements, wanted at most \(length)") }
        if phase == .step {
            step?.stream.limit(positions: length)
            let places = try self.table("offsets_\(count)") { () throws(ApusError) in try Tensor((0..<count).map { Int64($0) }) }
            return try self(Gather(axis: 0), table, try self(.add, try position(), places))
        }
        return count == length ? table : try self(Slice(axes: [0], starts: [0], ends: [count]), table)
    }

    /// A constant by name whose making takes a while: made the first time it is asked for.
    func table(_ name: String, _ make: () throws(ApusError) -> Tensor) throws(ApusError) -> Value {
        let isMade = builder.graph.constants.contains { $0.name == name }
        return constant(name, try isMade ? Tensor.zeros(.f32, shape: [0]) : make())
    }
}
