import ApusGraph

/// The greatest of each channel over all steps: [batch, time, channels] becomes [batch, channels].
public final class GlobalMaxPool1D: Layer {
    public override init(name: String = "") { super.init(name: name) }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        [try context(Reduction(.globalMaxPool), try sequence(inputs))]
    }
}
