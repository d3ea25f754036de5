import ApusGraph

/// What training makes small: a scalar, the mean over the samples of a batch.
public protocol Loss: Sendable {
    /// Such as "mean_squared_error".
    var name: String { get }

    /// The type of the targets for predictions of a type; extents of the batch are the predictions'.
    func targetType(for prediction: TensorType) throws(ApusError) -> TensorType

    /// Emits the loss of a batch.
    func value(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value

    /// Throws where a batch's targets have values that the loss is not defined for; by default all are right.
    ///
    /// - Parameter samples: the rows of the dataset that the batch's are, to name one.
    func check(_ target: Tensor, for prediction: TensorType, samples: [Int]) throws(ApusError)
}

extension Loss {
    /// Targets are like the predictions.
    public func targetType(for prediction: TensorType) throws(ApusError) -> TensorType { prediction }
    public func check(_ target: Tensor, for prediction: TensorType, samples: [Int]) throws(ApusError) {}
}

/// The rules that several losses share.
enum LossRules {
    /// Probabilities are kept this far from 0 and 1, as Keras does.
    static let epsilon: Float = 1e-7

    static func clipped(
        _ x: Value, to maximum: Float = 1 - epsilon, _ builder: GraphBuilder
    ) throws(ApusError) -> Value {
        try builder(ActivationOperator(.clip(minimum: epsilon, maximum: maximum)), x)
    }

    static func mean(_ x: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        try builder(Reduction(.mean, axes: []), x)
    }

    /// x·(1 − smoothing) + smoothing·share
    static func smoothed(
        _ x: Value, _ smoothing: Double, share: Double, _ builder: GraphBuilder
    ) throws(ApusError) -> Value {
        guard smoothing != 0 else { return x }
        guard smoothing > 0 && smoothing <= 1 else { throw .argument("label smoothing \(smoothing), wanted 0 ... 1") }
        let scaled = try builder(.mul, x, try builder.scalar(1 - smoothing, x.type.dtype))
        return try builder(.add, scaled, try builder.scalar(smoothing * share, x.type.dtype))
    }

    static func requireClasses(_ prediction: TensorType) throws(ApusError) {
        guard prediction.shape.rank >= 2 else {
            throw .shape("predictions \(prediction), wanted [batch, …, classes]")
        }
    }
}
