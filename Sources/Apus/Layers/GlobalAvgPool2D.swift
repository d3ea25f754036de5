import ApusGraph

/// The mean of each channel: [batch, height, width, channels] becomes [batch, channels].
public final class GlobalAvgPool2D: Layer {
    public override init(name: String = "") { super.init(name: name) }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        [try context(Reduction(.globalAvgPool), try image(inputs))]
    }
}
