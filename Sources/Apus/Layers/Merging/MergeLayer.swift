import ApusGraph

/// Combines two or more inputs element by element, from left to right; shapes broadcast.
public class MergeLayer: Layer {
    /// Combines two of them.
    let operation: Operator

    init(_ operation: Operator, name: String) {
        self.operation = operation
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { true }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        guard inputs.count >= 2 else { throw .argument("\(inputs.count) inputs, wanted 2 or more") }
        var result = inputs[0]
        for input in inputs.dropFirst() { result = try context(operation, result, input) }
        return [result]
    }
}
