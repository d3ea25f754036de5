import ApusGraph

extension Layer {
    /// The input of a layer that takes one sequence [batch, time, channels].
    final func sequence(_ inputs: [Value]) throws(ApusError) -> Value {
        let x = try onlyInput(inputs)
        guard x.shape.rank == 3 else { throw .shape("x \(x.type), wanted [batch, time, channels]") }
        return x
    }

    /// What `emit` makes of a sequence as an image of height 1, as a sequence again.
    final func asImage(
        _ x: Value, _ context: LayerContext, _ emit: (Value) throws(ApusError) -> Value
    ) throws(ApusError) -> Value {
        let image = try context(ApusGraph.Reshape([0, 1, x.shape[1], x.shape[2]]), x)
        let y = try emit(image)
        return try context(ApusGraph.Reshape([0, y.shape[2], y.shape[3]]), y)
    }
}
