import ApusGraph

/// A piece of a network: it owns weights by name and emits graph nodes.
///
/// Called on symbolic tensors it becomes part of a network; called twice it shares its weights.
open class Layer {
    /// Unique in its network; given by the first network that it is part of where it is left empty. In another network where a
    /// layer has that name too it gets one of its own: `Network.name(of:)`.
    public internal(set) var name: String
    /// Whether a network gave the name.
    var isNamedByNetwork = false

    public init(name: String = "") { self.name = name }

    /// Such as "Conv2D"; names are made of it.
    open var kind: String { String(describing: type(of: self)) }

    /// Emits the layer's nodes. Weights come from `context`; the shapes of `inputs` have the batch at its largest.
    open func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        throw .unsupported("\(kind) emits nothing")
    }

    /// Whether it can be emitted in the phase `.step`, with some elements of the sequence (axis 1) at a time: it treats each
    /// alone, or takes up its memory of those before.
    open var runsStepByStep: Bool { false }

    /// How many tensors it makes, one or more.
    open var outputCount: Int { 1 }

    /// Adds the layer to a network under construction.
    public func callAsFunction(_ inputs: SymbolicTensor...) -> SymbolicTensor {
        apply(inputs).first ?? SymbolicTensor(call: LayerCall(self, inputs), output: 0)
    }

    /// The same for a layer of several outputs. What is wrong with the inputs the network says that it becomes part of.
    open func apply(_ inputs: [SymbolicTensor]) -> [SymbolicTensor] {
        let call = LayerCall(self, inputs)
        return (0..<max(1, outputCount)).map { SymbolicTensor(call: call, output: $0) }
    }
}

/// One use of a layer.
final class LayerCall {
    let layer: Layer
    let inputs: [SymbolicTensor]
    /// Which brought the layer and its values, called as a part of another.
    let network: Network?

    init(_ layer: Layer, _ inputs: [SymbolicTensor], of network: Network? = nil) {
        self.layer = layer
        self.inputs = inputs
        self.network = network
    }
}

/// A tensor of a network under construction: what a layer's call will make.
public struct SymbolicTensor {
    let call: LayerCall
    let output: Int
}

/// An input of a network: samples of `shape`, the batch not counted.
public final class InputLayer: Layer {
    public let shape: [Int]
    public let dtype: DType
    public internal(set) var contract: InputContract?

    init(_ shape: [Int], _ dtype: DType, _ name: String, _ contract: InputContract?) {
        self.shape = shape
        self.dtype = dtype
        self.contract = contract
        super.init(name: name)
    }

    public override var kind: String { "Input" }
}

/// An input of a network built with the functional interface.
public func Input(
    _ shape: [Int], dtype: DType = .f32, name: String = "", contract: InputContract? = nil
) -> SymbolicTensor {
    InputLayer(shape, dtype, name, contract).apply([])[0]
}
