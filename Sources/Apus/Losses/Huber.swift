import ApusGraph

/// The mean of e²/2 where e = |y − t| ≤ δ, of δ·e − δ²/2 beyond (Huber 1964).
public struct Huber: Loss {
    public let delta: Double
    public var name: String { "huber" }
    public init(delta: Double = 1) { self.delta = delta }

    public func terms(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> LossTerms {
        guard delta > 0 && Float(delta).isFinite else { throw .argument("delta \(delta), wanted a positive finite one") }
        let dtype = prediction.type.dtype
        let error = try builder(.abs, try builder(.sub, prediction, target))
        // With q = min(e, δ) both branches are q²/2 + δ·(e − q).
        let near = try builder(.minimum, error, try builder.scalar(delta, dtype))
        let square = try builder(.mul, try builder(.square, near), try builder.scalar(0.5, dtype))
        let far = try builder(
            .mul, try builder(.sub, error, near), try builder.scalar(delta, dtype))
        return LossTerms(try builder(.add, square, far))
    }
}
