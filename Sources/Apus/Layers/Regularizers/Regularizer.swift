import ApusGraph

/// A penalty on a weight, added to the loss.
public protocol Regularizer: Sendable {
    /// Emits the penalty, a scalar.
    func loss(_ weight: Value, _ builder: GraphBuilder) throws(ApusError) -> Value
}
