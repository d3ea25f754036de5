import ApusGraph

extension LayerContext {
    /// Emits an activation as a node of its own, so that it can be differentiated; fused when a file is written.
    func activate(_ x: Value, _ activation: Activation) throws(ApusError) -> Value {
        activation == .none ? x : try self(ActivationOperator(activation), x)
    }
}
