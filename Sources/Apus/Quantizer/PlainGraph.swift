import ApusGraph

extension Graph {
    /// Some functions of a graph, with weights plain and of f32, and with no activation in a product that integer bounds cannot
    /// express.
    func plain(functions indices: Range<Int>) throws(ApusError) -> Graph {
        let result = Graph(name)
        result.producer = producer
        result.metadata = metadata
        result.dimensions = dimensions
        result.states = states
        for constant in constants { result.constants.append(try constant.plainReal()) }
        for index in indices { try functions[index].appendPlain(to: result) }
        return result
    }

    /// The same of one function.
    func plain(function index: Int) throws(ApusError) -> Graph { try plain(functions: index..<index + 1) }
}

extension Function {
    fileprivate func appendPlain(to graph: Graph) throws(ApusError) {
        let builder = GraphBuilder(graph, function: name)
        var values: [Value] = []
        for input in inputs { values.append(try builder.input(input.name, input.type, contract: input.contract)) }
        func value(_ operand: Operand) -> Value {
            if case .local(let local) = operand { return values[local] }
            return builder.value(operand)
        }
        for node in nodes {
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
        for output in outputs { builder.output(output.name, value(output.operand), type: output.type, labels: output.labels) }
        for update in updates { try builder.update(state: update.state, to: values[update.local]) }
        builder.finish()
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
