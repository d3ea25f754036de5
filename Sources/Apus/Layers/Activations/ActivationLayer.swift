import ApusGraph

/// y = activation(x), element by element, as a layer of its own.
public class ActivationLayer: Layer {
    public let activation: Activation

    public init(_ activation: Activation, name: String = "") {
        self.activation = activation
        super.init(name: name)
    }

    public override var kind: String {
        type(of: self) == ActivationLayer.self && activation != .none ? activation.name : super.kind
    }

    public override var runsStepByStep: Bool { true }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        [try context.activate(try onlyInput(inputs), activation)]
    }
}
