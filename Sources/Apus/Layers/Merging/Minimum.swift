import ApusGraph

/// min(a, b, …).
public final class Minimum: MergeLayer {
    public init(name: String = "") { super.init(.minimum, name: name) }
}
