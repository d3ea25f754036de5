import ApusGraph

/// What is done to gradients before the optimizer sees them.
public enum GradientClipping: Sendable {
    case none
    /// Each element into −limit ... limit.
    case value(Double)
    /// Each weight's gradient scaled down to this norm when its own is larger.
    case norm(Double)
    /// All gradients together scaled down to this norm when theirs is larger (Pascanu, Mikolov, Bengio 2013).
    case globalNorm(Double)

    /// Emits it; nil stands for a weight without a gradient.
    func apply(to gradients: inout [Value?], _ builder: GraphBuilder) throws(ApusError) {
        switch self {
        case .none:
            break
        case .value(let limit):
            guard limit > 0 && limit.isFinite else {
                throw .argument("gradients clipped to \(limit), wanted a positive finite limit")
            }
            let clip = ActivationOperator(.clip(minimum: Float(-limit), maximum: Float(limit)))
            try replace(&gradients) { gradient throws(ApusError) in try builder(clip, gradient) }
        case .norm(let limit):
            try replace(&gradients) { gradient throws(ApusError) in
                try builder(ClipByNorm(maximum: Float(limit)), gradient, try builder(GlobalNorm(), gradient))
            }
        case .globalNorm(let limit):
            let present = gradients.compactMap { $0 }
            guard !present.isEmpty else { return }
            let norm = try builder.node(GlobalNorm(), present)[0]
            try replace(&gradients) { gradient throws(ApusError) in
                try builder(ClipByNorm(maximum: Float(limit)), gradient, norm)
            }
        }
    }

    private func replace(
        _ gradients: inout [Value?], _ body: (Value) throws(ApusError) -> Value
    ) throws(ApusError) {
        for i in gradients.indices {
            if let gradient = gradients[i] { gradients[i] = try body(gradient) }
        }
    }
}
