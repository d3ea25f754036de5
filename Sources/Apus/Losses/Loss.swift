import ApusGraph

/// What training makes small: a scalar, the mean over the samples of a batch.
///
/// A loss gives `terms`, from which `value` follows and by which samples can be weighted; or `value` alone, and then they cannot.
public protocol Loss: Sendable {
    /// Such as "mean_squared_error".
    var name: String { get }

    /// The type of the targets for predictions of a type; extents of the batch are the predictions'.
    func targetType(for prediction: TensorType) throws(ApusError) -> TensorType

    /// Emits the loss of a batch, by default the mean of its terms.
    func value(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value

    /// Emits the loss of a batch before its mean, sample by sample; by default throws `.unsupported`.
    func terms(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> LossTerms

    /// Throws where a batch's targets have values that the loss is not defined for; by default all are right.
    ///
    /// - Parameter samples: the rows of the dataset that the batch's are, to name one.
    func check(_ target: Tensor, for prediction: TensorType, samples: [Int]) throws(ApusError)
}

extension Loss {
    /// Targets are like the predictions.
    public func targetType(for prediction: TensorType) throws(ApusError) -> TensorType { prediction }
    public func check(_ target: Tensor, for prediction: TensorType, samples: [Int]) throws(ApusError) {}

    public func value(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        try terms(prediction, target, builder).mean(builder)
    }

    public func terms(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> LossTerms {
        throw .unsupported("loss '\(name)' gives its mean alone, wanted terms to weight samples by")
    }

    /// Σ w·l / n over samples of loss l and weight w, [batch]; without weights `value`.
    func value(
        _ prediction: Value, _ target: Value, weights: Value?, _ builder: GraphBuilder
    ) throws(ApusError) -> Value {
        guard let weights else { return try value(prediction, target, builder) }
        let terms = try terms(prediction, target, builder)
        do throws(ApusError) { return try terms.weighted(by: weights, builder).mean(builder) } catch {
            throw error.within("loss '\(name)'")
        }
    }
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
