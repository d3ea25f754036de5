import ApusGraph

/// mean −(t·log p + (1 − t)·log(1 − p)), with p the prediction or, from logits x, sigmoid(x).
public struct BinaryCrossEntropy: Loss {
    public let fromLogits: Bool
    /// Moves targets toward 1/2: t·(1 − s) + s/2.
    public let labelSmoothing: Double
    public var name: String { "binary_crossentropy" }

    public init(fromLogits: Bool = false, labelSmoothing: Double = 0) {
        self.fromLogits = fromLogits
        self.labelSmoothing = labelSmoothing
    }

    public func value(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        let t = try LossRules.smoothed(target, labelSmoothing, share: 0.5, builder)
        if fromLogits {
            // −t·log σ(x) − (1 − t)·log(1 − σ(x)) = softplus(x) − x·t
            let product = try builder(.mul, prediction, t)
            return try LossRules.mean(
                try builder(.sub, try builder(ActivationOperator(.softplus), prediction), product), builder)
        }
        let p = try LossRules.clipped(prediction, builder)
        let one = try builder.scalar(1, p.type.dtype)
        func term(_ share: Value, _ probability: Value) throws(ApusError) -> Value {
            try builder(.mul, share, try builder(.log, probability))
        }
        let positive = try term(t, p)
        let negative = try term(try builder(.sub, one, t), try builder(.sub, one, p))
        let sum = try builder(.add, positive, negative)
        return try builder(.neg, try LossRules.mean(sum, builder))
    }
}
