import ApusGraph

/// log(1 + eˣ).
public final class Softplus: ActivationLayer {
    public init(name: String = "") { super.init(.softplus, name: name) }
}
