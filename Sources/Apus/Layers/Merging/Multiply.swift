import ApusGraph

/// a · b · ….
public final class Multiply: MergeLayer {
    override var operation: Operator { .mul }
}
