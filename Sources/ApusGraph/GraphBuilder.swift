/// A value of the function under construction, typed with every symbolic dimension at its maximum.
public struct Value: Sendable {
    public let operand: Operand
    public let type: TensorType
    public var shape: Shape { type.shape }

    public init(operand: Operand, type: TensorType) {
        self.operand = operand
        self.type = type
    }
}

/// Appends nodes to one function of a graph, running each operator's shape rule at once.
public final class GraphBuilder {
    public let graph: Graph
    public private(set) var function: Function
    private var types: [TensorType] = []
    private var counter = 0
    /// Begins the name of a node that is given none.
    public var prefix = ""

    public init(_ graph: Graph, function name: String) {
        self.graph = graph
        function = Function(name)
    }

    /// Adds an input. All inputs come before the first node.
    public func input(_ name: String, _ type: TensorType, contract: InputContract? = nil) throws(ApusError) -> Value {
        guard function.nodes.isEmpty else { throw .argument("input '\(name)' after the first node") }
        function.inputs.append(FunctionInput(name, type, contract: contract))
        let resolved = try type.resolved(graph.maxima)
        types.append(resolved)
        return Value(operand: .local(types.count - 1), type: resolved)
    }

    public func constant(_ index: Int) -> Value {
        Value(operand: .constant(index), type: graph.constants[index].type)
    }

    public func state(_ index: Int) -> Value {
        Value(operand: .state(index), type: graph.states[index].type)
    }

    /// Appends a node and returns its outputs. Errors name the node.
    @discardableResult
    public func node(_ op: Operator, _ inputs: [Value], name: String = "") throws(ApusError) -> [Value] {
        var label = name
        if label.isEmpty {
            counter += 1
            label = "\(prefix)\(op.name)_\(counter)"
        }
        let outputs = try op.checkedOutputTypes(inputs.map { $0.type }, dimensions: graph.maxima, node: label)
        function.nodes.append(Node(label, op, inputs.map { $0.operand }))
        var values: [Value] = []
        for type in outputs {
            types.append(type)
            values.append(Value(operand: .local(types.count - 1), type: type))
        }
        return values
    }

    /// Appends a node with one output.
    public func callAsFunction(_ op: Operator, _ inputs: Value..., name: String = "") throws(ApusError) -> Value {
        try node(op, inputs, name: name)[0]
    }

    /// The value of a local, by index.
    public func local(_ index: Int) -> Value { Value(operand: .local(index), type: types[index]) }

    public func value(_ operand: Operand) -> Value {
        switch operand {
        case .constant(let i): constant(i)
        case .state(let i): state(i)
        case .local(let i): local(i)
        }
    }

    /// Declares an output. `type` may name symbolic dimensions; by default it is the value's type with the extents that
    /// equal the leading symbol of input 0 taken to be that symbol.
    public func output(_ name: String, _ value: Value, type: TensorType? = nil, labels: [String] = []) {
        var declared = value.type
        if let type {
            declared = type
        } else if let first = function.inputs.first, first.type.shape.rank > 0, first.type.shape[0] < 0,
            declared.shape.rank > 0, declared.shape[0] == graph.maxima[-1 - first.type.shape[0]]
        {
            declared.shape[0] = first.type.shape[0]
        }
        function.outputs.append(FunctionOutput(name, value.operand, declared, labels: labels))
    }

    /// The state takes this value after a run; `value` is a node's output.
    public func update(state: Int, to value: Value) throws(ApusError) {
        guard case .local(let local) = value.operand else {
            throw .argument("state '\(graph.states[state].name)' is updated from a value that no node makes")
        }
        function.updates.append(StateUpdate(state: state, local: local))
    }

    /// Adds the function to the graph and returns its index.
    @discardableResult
    public func finish() -> Int {
        graph.functions.append(function)
        return graph.functions.count - 1
    }
}

extension Graph {
    /// The largest value of every symbolic dimension.
    public var maxima: [Int] { dimensions.map { $0.maximum } }
}

extension TensorType {
    /// The type with symbols replaced by their values.
    public func resolved(_ values: [Int]) throws(ApusError) -> TensorType {
        var result = self
        for axis in 0..<shape.rank where shape[axis] < 0 {
            let symbol = -1 - shape[axis]
            guard symbol < values.count else {
                throw .file("symbolic dimension \(symbol), wanted 0 ..< \(values.count)")
            }
            result.shape[axis] = values[symbol]
        }
        return result
    }
}

extension Operator {
    /// `outputTypes` behind the checks that hold for every operator; errors name the node.
    public final func checkedOutputTypes(
        _ inputs: [TensorType], dimensions: [Int] = [], node: String
    ) throws(ApusError) -> [TensorType] {
        do throws(ApusError) {
            guard inputCount.contains(inputs.count) else {
                throw .shape(
                    "\(inputs.count) inputs, wanted \(inputCount.lowerBound)"
                        + (inputCount.count > 1 ? " ... \(inputCount.upperBound)" : ""))
            }
            let outputs = try outputTypes(inputs, dimensions: dimensions)
            for type in outputs { try type.check() }
            return outputs
        } catch {
            throw error.within("node '\(node)' (\(name))")
        }
    }

    /// `kernels`, which have nothing to do where no output has an element: other extents may be any size then, and what
    /// is counted from them is no number of units.
    public final func chosenKernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var plan = try kernels(site)
        if site.outputs.allSatisfy({ $0.shape.count == 0 }) {
            for i in plan.launches.indices { plan.launches[i].units = 0 }
        }
        return plan
    }
}
