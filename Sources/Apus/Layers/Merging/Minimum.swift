import ApusGraph

/// min(a, b, …).
public final class Minimum: MergeLayer {
    override var operation: Operator { .minimum }
}
