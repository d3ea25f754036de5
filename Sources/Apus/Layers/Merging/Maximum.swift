import ApusGraph

/// max(a, b, …).
public final class Maximum: MergeLayer {
    override var operation: Operator { .maximum }
}
