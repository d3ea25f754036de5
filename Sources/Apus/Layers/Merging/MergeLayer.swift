import ApusGraph

/// Combines two or more inputs element by element, from left to right; shapes broadcast.
public class MergeLayer: Layer {
    public override init(name: String = "") { super.init(name: name) }

    /// Combines two of them.
    var operation: Operator { preconditionFailure("a merge layer without an operation") }

    public override var runsStepByStep: Bool { true }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        guard inputs.count >= 2 else { throw .argument("\(inputs.count) inputs, wanted 2 or more") }
        var result = inputs[0]
        for input in inputs.dropFirst() { result = try context(operation, result, input) }
        return [result]
    }
}
