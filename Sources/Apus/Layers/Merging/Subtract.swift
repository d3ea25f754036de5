import ApusGraph

/// a − b, of exactly two inputs.
public final class Subtract: MergeLayer {
    public init(name: String = "") { super.init(.sub, name: name) }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        guard inputs.count == 2 else { throw .argument("\(inputs.count) inputs, wanted 2") }
        return try super.call(inputs, context)
    }
}
