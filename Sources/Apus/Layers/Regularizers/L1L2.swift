import ApusGraph

/// l1 · Σ |w| + l2 · Σ w²
public struct L1L2: Regularizer {
    public let l1: Double
    public let l2: Double

    public init(l1: Double = 0, l2: Double = 0) {
        self.l1 = l1
        self.l2 = l2
    }

    public func loss(_ weight: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        try builder(.add, try L1(l1).loss(weight, builder), try L2(l2).loss(weight, builder))
    }
}
