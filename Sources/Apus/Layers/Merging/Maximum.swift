import ApusGraph

/// max(a, b, …).
public final class Maximum: MergeLayer {
    public init(name: String = "") { super.init(.maximum, name: name) }
}
