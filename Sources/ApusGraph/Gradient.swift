/// What an operator's gradient rule is given: the node's values and the gradients that arrive at its outputs.
public struct Gradient {
    public let builder: GraphBuilder
    public let inputs: [Value]
    public let outputs: [Value]
    /// nil where no gradient arrives.
    public let outputGradients: [Value?]
    /// Which inputs a gradient is wanted for; a rule may skip the others.
    public let wanted: [Bool]

    public init(
        builder: GraphBuilder, inputs: [Value], outputs: [Value], outputGradients: [Value?], wanted: [Bool]
    ) {
        self.builder = builder
        self.inputs = inputs
        self.outputs = outputs
        self.outputGradients = outputGradients
        self.wanted = wanted
    }

    public var x: Value { inputs[0] }
    public var y: Value { outputs[0] }

    /// The gradient at output 0.
    public func dy() throws(ApusError) -> Value {
        guard let value = outputGradients[0] else { throw .argument("no gradient arrives at output 0") }
        return value
    }

    /// Emits a node with one output.
    public func callAsFunction(_ op: Operator, _ inputs: Value...) throws(ApusError) -> Value {
        try builder.node(op, inputs)[0]
    }
}
