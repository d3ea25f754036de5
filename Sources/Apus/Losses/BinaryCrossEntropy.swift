import ApusGraph

/// mean −(w·t·log p + (1 − t)·log(1 − p)), with p the prediction or, from logits x, sigmoid(x).
public struct BinaryCrossEntropy: Loss {
    public let fromLogits: Bool
    /// Moves targets toward 1/2: t·(1 − s) + s/2.
    public let labelSmoothing: Double
    /// w: what positive targets weigh, one for all, or one per label of the last axis; empty for 1.
    public let positiveWeights: [Float]
    public var name: String { "binary_crossentropy" }

    public init(fromLogits: Bool = false, labelSmoothing: Double = 0, positiveWeights: [Float] = []) {
        self.fromLogits = fromLogits
        self.labelSmoothing = labelSmoothing
        self.positiveWeights = positiveWeights
    }

    public func terms(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> LossTerms {
        let t = try LossRules.smoothed(target, labelSmoothing, share: 0.5, builder)
        if fromLogits, let weights = try weights(prediction, builder) {
            // w·t·softplus(−x) + (1 − t)·(softplus(−x) + x) = (1 + (w − 1)·t)·softplus(−x) + (1 − t)·x
            let one = try builder.scalar(1, t.type.dtype)
            let share = try builder(.add, one, try builder(.mul, try builder(.sub, weights, one), t))
            let near = try builder(.mul, share, try builder(ActivationOperator(.softplus), try builder(.neg, prediction)))
            let far = try builder(.mul, try builder(.sub, one, t), prediction)
            return LossTerms(try builder(.add, near, far))
        }
        if fromLogits {
            // −t·log σ(x) − (1 − t)·log(1 − σ(x)) = softplus(x) − x·t
            let product = try builder(.mul, prediction, t)
            return LossTerms(try builder(.sub, try builder(ActivationOperator(.softplus), prediction), product))
        }
        let p = try LossRules.clipped(prediction, builder)
        let one = try builder.scalar(1, p.type.dtype)
        func term(_ share: Value, _ probability: Value) throws(ApusError) -> Value {
            try builder(.mul, share, try builder(.log, probability))
        }
        var positive = try term(t, p)
        if let weights = try weights(prediction, builder) { positive = try builder(.mul, weights, positive) }
        let negative = try term(try builder(.sub, one, t), try builder(.sub, one, p))
        let sum = try builder(.add, positive, negative)
        return LossTerms(sum, isNegated: true)
    }

    private func weights(_ prediction: Value, _ builder: GraphBuilder) throws(ApusError) -> Value? {
        guard !positiveWeights.isEmpty else { return nil }
        guard [1, prediction.shape.last].contains(positiveWeights.count) else {
            throw .argument("\(positiveWeights.count) positive weights, wanted 1 or \(prediction.shape.last)")
        }
        if let weight = positiveWeights.first(where: { !($0 >= 0 && $0.isFinite) }) {
            throw .argument("a positive weight of \(weight), wanted a finite one of 0 or more")
        }
        let table = try Tensor(positiveWeights).converted(to: prediction.type.dtype).constant("positive_weights")
        builder.graph.constants.append(table)
        return builder.constant(builder.graph.constants.count - 1)
    }
}
