import ApusGraph

/// mean over the samples of Σ t·log(t / p), both kept in 1e-7 ... 1 (Kullback and Leibler 1951).
///
/// Predictions and targets [batch, …, classes], distributions over the classes.
public struct KLDivergence: Loss {
    public var name: String { "kl_divergence" }
    public init() {}

    public func targetType(for prediction: TensorType) throws(ApusError) -> TensorType {
        try LossRules.requireClasses(prediction)
        return prediction
    }

    public func terms(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> LossTerms {
        let p = try LossRules.clipped(prediction, to: 1, builder), t = try LossRules.clipped(target, to: 1, builder)
        let ratio = try builder(.sub, try builder(.log, t), try builder(.log, p))
        let rows = try builder(Reduction(.sum, axes: [-1]), try builder(.mul, t, ratio))
        return LossTerms(rows)
    }
}
