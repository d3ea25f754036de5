import ApusGraph

/// y = activation(x), element by element, as a layer of its own.
public class ActivationLayer: Layer {
    public let activation: Activation

    init(_ activation: Activation, name: String) {
        self.activation = activation
        super.init(name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        [try context.activate(try onlyInput(inputs), activation)]
    }
}
