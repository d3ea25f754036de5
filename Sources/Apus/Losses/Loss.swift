import ApusGraph

/// What training makes small: a scalar, the mean over the samples of a batch.
public protocol Loss: Sendable {
    /// Such as "mean_squared_error".
    var name: String { get }

    /// The type of the targets for predictions of a type; extents of the batch are the predictions'.
    func targetType(for prediction: TensorType) throws(ApusError) -> TensorType

    /// Emits the loss of a batch.
    func value(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value
}

/// −log softmax(logits)[label], or −log p[label] for probabilities; labels are i32 class indices.
///
/// Predictions [batch, …, classes], targets [batch, …].
public struct SparseCategoricalCrossEntropy: Loss {
    public let fromLogits: Bool
    public var name: String { "sparse_categorical_crossentropy" }

    public init(fromLogits: Bool = false) { self.fromLogits = fromLogits }

    public func targetType(for prediction: TensorType) throws(ApusError) -> TensorType {
        guard prediction.shape.rank >= 2 else {
            throw .shape("predictions \(prediction), wanted [batch, …, classes]")
        }
        return TensorType(.i32, prediction.shape.removing(prediction.shape.rank - 1))
    }

    public func value(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        let rows: Value
        if fromLogits {
            rows = try builder(SparseSoftmaxCrossEntropy(), prediction, target)
        } else {
            // softmax(log p) = p / Σ p, so the loss of probabilities is the loss of their logarithms as logits.
            let clipped = try builder(ApusGraph.Clip(minimum: 1e-7, maximum: 1 - 1e-7), prediction)
            rows = try builder(SparseSoftmaxCrossEntropy(), try builder(Log(), clipped), target)
        }
        return try builder(ReduceMean(axes: []), rows)
    }
}
