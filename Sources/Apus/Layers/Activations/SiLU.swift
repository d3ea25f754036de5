import ApusGraph

/// x · sigmoid(x) (Elfwing, Uchibe, Doya 2018).
public final class SiLU: ActivationLayer {
    public init(name: String = "") { super.init(.silu, name: name) }
}
