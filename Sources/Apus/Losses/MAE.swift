import ApusGraph

/// The mean absolute error, mean |y − t|.
public struct MAE: Loss {
    public var name: String { "mean_absolute_error" }
    public init() {}

    public func terms(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> LossTerms {
        LossTerms(try builder(.abs, try builder(.sub, prediction, target)))
    }
}
