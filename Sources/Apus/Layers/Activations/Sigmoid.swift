import ApusGraph

/// 1 / (1 + e⁻ˣ).
public final class Sigmoid: ActivationLayer {
    public init(name: String = "") { super.init(.sigmoid, name: name) }
}
