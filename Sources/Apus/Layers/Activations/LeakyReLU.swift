import ApusGraph

/// x for x ≥ 0, else slope·x.
public final class LeakyReLU: ActivationLayer {
    public init(slope: Float = 0.3, name: String = "") { super.init(.leakyRelu(alpha: slope), name: name) }
}
