import ApusGraph

extension LayerContext {
    /// A constant that is no parameter; one of the same name is the same.
    public func constant(_ name: String, _ tensor: Tensor) -> Value {
        let graph = builder.graph
        if let index = graph.constants.firstIndex(where: { $0.name == name }) { return builder.constant(index) }
        graph.constants.append(tensor.constant(name))
        return builder.constant(graph.constants.count - 1)
    }
}
