import ApusGraph

/// The greatest of each channel: [batch, height, width, channels] becomes [batch, channels].
public final class GlobalMaxPool2D: Layer {
    public override init(name: String = "") { super.init(name: name) }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        [try context(Reduction(.globalMaxPool), try image(inputs))]
    }
}
