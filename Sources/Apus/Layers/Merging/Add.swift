import ApusGraph

/// a + b + ….
public final class Add: MergeLayer {
    override var operation: Operator { .add }
}
