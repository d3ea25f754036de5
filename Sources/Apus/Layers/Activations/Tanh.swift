import ApusGraph

/// tanh x.
public final class Tanh: ActivationLayer {
    public init(name: String = "") { super.init(.tanh, name: name) }
}
