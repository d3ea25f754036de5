import ApusGraph

/// x·Φ(x), or its approximation by tanh (Hendrycks and Gimpel 2016).
public final class GELU: ActivationLayer {
    public init(approximate: Bool = false, name: String = "") {
        super.init(approximate ? .geluTanh : .gelu, name: name)
    }
}
