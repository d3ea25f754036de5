import ApusGraph

/// a + b + ….
public final class Add: MergeLayer {
    public init(name: String = "") { super.init(.add, name: name) }
}
