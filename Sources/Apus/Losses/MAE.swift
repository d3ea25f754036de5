import ApusGraph

/// The mean absolute error, mean |y − t|.
public struct MAE: Loss {
    public var name: String { "mean_absolute_error" }
    public init() {}

    public func value(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        try LossRules.mean(try builder(.abs, try builder(.sub, prediction, target)), builder)
    }
}
