import ApusGraph

/// Each sample as a vector: [batch, …] becomes [batch, product of …].
public final class Flatten: Layer {
    public override init(name: String = "") { super.init(name: name) }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        [try context(ApusGraph.Flatten(axis: 1), try onlyInput(inputs))]
    }
}
