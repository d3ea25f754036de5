import ApusGraph

extension Graph {
    /// One function of a graph, with weights plain and of f32, and with no activation in a product that integer bounds cannot
    /// express.
    func plain(function index: Int) throws(ApusError) -> Graph {
        let source = functions[index]
        let result = Graph(name)
        result.producer = producer
        result.metadata = metadata
        result.dimensions = dimensions
        result.states = states
        for constant in constants { result.constants.append(try constant.plainReal()) }
        let builder = GraphBuilder(result, function: source.name)
        var values: [Value] = []
        for input in source.inputs { values.append(try builder.input(input.name, input.type, contract: input.contract)) }
        func value(_ operand: Operand) -> Value {
            if case .local(let local) = operand { return values[local] }
            return builder.value(operand)
        }
        for node in source.nodes {
            if var product = Product(node), !product.activation.isBounded {
                let activation = product.activation
                product.activation = .none
                let plain = product.node
                let sum = try builder.node(plain.op, plain.inputs.map(value), name: node.name)
                values += try builder.node(ActivationOperator(activation), sum, name: "\(node.name)/activation")
            } else {
                values += try builder.node(node.op, node.inputs.map(value), name: node.name)
            }
        }
        for output in source.outputs {
            builder.output(output.name, value(output.operand), type: output.type, labels: output.labels)
        }
        for update in source.updates { try builder.update(state: update.state, to: values[update.local]) }
        builder.finish()
        return result
    }
}

extension Activation {
    /// Whether it only bounds its argument, as codes can.
    var isBounded: Bool {
        switch self {
        case .none, .relu, .relu6, .clip: true
        default: false
        }
    }
}

extension Constant {
    /// The same with f16, bf16 and panels undone; what is not real stays.
    fileprivate func plainReal() throws(ApusError) -> Constant {
        let plain = try Packing.unpack(self)
        guard plain.type.dtype == .f16 || plain.type.dtype == .bf16 else { return plain }
        return try Tensor(plain).converted(to: .f32).constant(name)
    }
}
