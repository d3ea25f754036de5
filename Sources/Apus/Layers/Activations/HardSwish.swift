import ApusGraph

/// x · relu6(x + 3) / 6 (Howard et al. 2019).
public final class HardSwish: ActivationLayer {
    public init(name: String = "") { super.init(.hardSwish, name: name) }
}
