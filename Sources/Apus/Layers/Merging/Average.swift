import ApusGraph

/// (a + b + …) / count.
public final class Average: MergeLayer {
    public init(name: String = "") { super.init(.add, name: name) }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let sum = try super.call(inputs, context)[0]
        let share = try context.builder.scalar(1 / Double(inputs.count), sum.type.dtype)
        return [try context(.mul, sum, share)]
    }
}
