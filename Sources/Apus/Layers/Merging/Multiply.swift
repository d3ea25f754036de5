import ApusGraph

/// a · b · ….
public final class Multiply: MergeLayer {
    public init(name: String = "") { super.init(.mul, name: name) }
}
