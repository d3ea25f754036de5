import ApusGraph

/// mean −log p[label], with p the predictions scaled to a sum of 1 or, from logits, softmax(x); labels are i32 indices.
///
/// Predictions [batch, …, classes], targets [batch, …].
public struct SparseCategoricalCrossEntropy: Loss {
    public let fromLogits: Bool
    public var name: String { "sparse_categorical_crossentropy" }

    public init(fromLogits: Bool = false) { self.fromLogits = fromLogits }

    public func targetType(for prediction: TensorType) throws(ApusError) -> TensorType {
        try LossRules.requireClasses(prediction)
        return TensorType(.i32, prediction.shape.removing(prediction.shape.rank - 1))
    }

    public func value(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        // softmax(log p) = p / Σ p, so the loss of probabilities is the loss of their logarithms as logits.
        let logits = fromLogits ? prediction : try builder(Log(), try LossRules.clipped(prediction, builder))
        return try LossRules.mean(try builder.node(SparseSoftmaxCrossEntropy(), [logits, target])[0], builder)
    }
}
