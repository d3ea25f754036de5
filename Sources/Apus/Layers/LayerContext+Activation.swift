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
        case .none: nil as Operator?
        case .relu: Relu()
        case .relu6: Relu6()
        case .leakyRelu(let alpha): LeakyRelu(alpha: alpha)
        case .elu(let alpha): Elu(alpha: alpha)
        case .sigmoid: Sigmoid()
        case .tanh: Tanh()
        case .gelu: Gelu(tanh: false)
        case .geluTanh: Gelu(tanh: true)
        case .silu: Silu()
        case .hardSwish: HardSwish()
        case .softplus: Softplus()
        case .clip(let minimum, let maximum): Clip(minimum: minimum, maximum: maximum)
        }
    }
}
