import ApusGraph

/// min(max(x, 0), 6).
public final class ReLU6: ActivationLayer {
    public init(name: String = "") { super.init(.relu6, name: name) }
}
