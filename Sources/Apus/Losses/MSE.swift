import ApusGraph

/// The mean squared error, mean (y − t)².
public struct MSE: Loss {
    public var name: String { "mean_squared_error" }
    public init() {}

    public func terms(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> LossTerms {
        LossTerms(try builder(.square, try builder(.sub, prediction, target)))
    }
}
