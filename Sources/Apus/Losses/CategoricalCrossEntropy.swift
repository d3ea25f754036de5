import ApusGraph

/// mean over the samples of −Σ t·log p, with p the predictions scaled to a sum of 1 or, from logits, softmax(x).
///
/// Predictions and targets [batch, …, classes]; targets are distributions over the classes.
public struct CategoricalCrossEntropy: Loss {
    public let fromLogits: Bool
    /// Moves targets toward the uniform distribution: t·(1 − s) + s/classes.
    public let labelSmoothing: Double
    public var name: String { "categorical_crossentropy" }

    public init(fromLogits: Bool = false, labelSmoothing: Double = 0) {
        self.fromLogits = fromLogits
        self.labelSmoothing = labelSmoothing
    }

    public func targetType(for prediction: TensorType) throws(ApusError) -> TensorType {
        try LossRules.requireClasses(prediction)
        return prediction
    }

    public func terms(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> LossTerms {
        let t = try LossRules.smoothed(target, labelSmoothing, share: 1 / Double(prediction.shape.last), builder)
        if fromLogits {
            return LossTerms(try builder.node(SoftmaxCrossEntropy(), [prediction, t])[0])
        }
        let sum = try builder(Reduction(.sum, axes: [-1], keepDimensions: true), prediction)
        let p = try LossRules.clipped(try builder(.div, prediction, sum), builder)
        let products = try builder(.mul, t, try builder(.log, p))
        let rows = try builder(Reduction(.sum, axes: [-1]), products)
        return LossTerms(rows, isNegated: true)
    }
}
