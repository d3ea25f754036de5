import ApusGraph

/// The mean of each channel over all steps: [batch, time, channels] becomes [batch, channels].
public final class GlobalAvgPool1D: Layer {
    public override init(name: String = "") { super.init(name: name) }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        [try context(Reduction(.globalAvgPool), try sequence(inputs))]
    }
}
