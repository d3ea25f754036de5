import ApusGraph

/// x for x ≥ 0, else α·(eˣ − 1) (Clevert, Unterthiner, Hochreiter 2016).
public final class ELU: ActivationLayer {
    public init(alpha: Float = 1, name: String = "") { super.init(.elu(alpha: alpha), name: name) }
}
