import ApusGraph

/// The inputs one after another along an axis, which is not the batch.
public final class Concat: Layer {
    /// Counted from the end when negative; 0 is the batch.
    public let axis: Int

    public init(axis: Int = -1, name: String = "") {
        self.axis = axis
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { axis == -1 }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        guard let first = inputs.first else { throw .argument("no inputs, wanted 1 or more") }
        guard try first.shape.axis(axis) != 0 else { throw .argument("axis \(axis) is the batch") }
        return [try context.node(ApusGraph.Concat(axis: axis), inputs)[0]]
    }
}
