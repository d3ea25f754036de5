import ApusGraph

/// eˣ / Σ eˣ along an axis.
public final class Softmax: Layer {
    /// Counted from the end when negative; 0 is the batch.
    public let axis: Int

    public init(axis: Int = -1, name: String = "") {
        self.axis = axis
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { axis == -1 }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        [try context(ApusGraph.Softmax(axis: axis), try onlyInput(inputs))]
    }
}
