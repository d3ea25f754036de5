import ApusGraph

/// max(x, 0).
public final class ReLU: ActivationLayer {
    public init(name: String = "") { super.init(.relu, name: name) }
}
