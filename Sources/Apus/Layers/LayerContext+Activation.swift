import ApusGraph

extension LayerContext {
    /// Emits an activation as a node of its own, so that it can be differentiated; fused when a file is written.
    func activate(_ x: Value, _ activation: Activation) throws(ApusError) -> Value {
        guard let op = activation.operation else { return x }
        return try self(op, x)
    }
}

extension Activation {
    /// The operator that computes it; nil for none.
    var operation: Operator? {
        switch self {
        case .none: return nil
        case .relu: return ApusGraph.Relu()
        case .relu6: return ApusGraph.Relu6()
        case .leakyRelu(let alpha): return ApusGraph.LeakyRelu(alpha: alpha)
        case .elu(let alpha): return ApusGraph.Elu(alpha: alpha)
        case .sigmoid: return ApusGraph.Sigmoid()
        case .tanh: return ApusGraph.Tanh()
        case .gelu: return ApusGraph.Gelu(tanh: false)
        case .geluTanh: return ApusGraph.Gelu(tanh: true)
        case .silu: return ApusGraph.Silu()
        case .hardSwish: return ApusGraph.HardSwish()
        case .softplus: return ApusGraph.Softplus()
        case .clip(let minimum, let maximum): return ApusGraph.Clip(minimum: minimum, maximum: maximum)
        }
    }
}
