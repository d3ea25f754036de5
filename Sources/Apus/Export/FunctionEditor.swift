import ApusGraph

/// One function of a graph under rewriting.
///
/// Nodes keep their places and values their numbers while a pass works: a node is replaced by one whose first outputs are of
/// the same types, inserted before another, or removed when nothing reads it. `finish` drops the removed nodes, renumbers the
/// values and writes the function back.
struct FunctionEditor {
    let graph: Graph
    private let index: Int
    private var function: Function
    private var isRemoved: [Bool]
    /// The places in the order that they run in.
    private var order: [Int]
    /// Per node the number of its first output.
    private var firstLocals: [Int]
    /// Per local the node that makes it; nil for inputs.
    private var makers: [Int?]
    /// Types of the locals with every symbolic dimension at its largest, and at its smallest.
    private var types: [TensorType]
    private var smallestTypes: [TensorType]

    init(_ valid: ValidGraph, function index: Int) throws(ApusError) {
        graph = valid.graph
        self.index = index
        function = graph.functions[index]
        isRemoved = [Bool](repeating: false, count: function.nodes.count)
        order = Array(function.nodes.indices)
        types = try valid.types(ofFunction: index, dimensions: graph.maxima)
        smallestTypes = try valid.types(ofFunction: index, dimensions: graph.dimensions.map { $0.minimum })
        var firstLocals: [Int] = []
        var makers = [Int?](repeating: nil, count: function.inputs.count)
        for (i, node) in function.nodes.enumerated() {
            firstLocals.append(makers.count)
            makers += [Int?](repeating: i, count: node.op.outputCount)
        }
        self.firstLocals = firstLocals
        self.makers = makers
    }

    // MARK: Reading

    /// The places of the nodes that are left, in order.
    var nodes: [Int] { order.filter { !isRemoved[$0] } }

    subscript(node: Int) -> Node {
        get { function.nodes[node] }
        set { function.nodes[node] = newValue }
    }

    func output(of node: Int, _ output: Int = 0) -> Operand { .local(firstLocals[node] + output) }

    /// The node that makes a value; nil for inputs, constants and states.
    func maker(of operand: Operand) -> Int? {
        guard case .local(let local) = operand else { return nil }
        return makers[local]
    }

    /// How often nodes, outputs and updates read a value.
    func readCount(of operand: Operand) -> Int {
        var count = function.outputs.count { $0.operand == operand }
        count += function.updates.count { .local($0.local) == operand }
        for node in nodes { count += function.nodes[node].inputs.count { $0 == operand } }
        return count
    }

    /// The types at the largest and smallest dimensions are equal.
    func haveSameType(_ a: Operand, _ b: Operand) -> Bool { types(of: a) == types(of: b) }

    func type(of operand: Operand) -> TensorType { type(of: operand, locals: types) }

    func smallestType(of operand: Operand) -> TensorType { type(of: operand, locals: smallestTypes) }

    private func type(of operand: Operand, locals: [TensorType]) -> TensorType {
        switch operand {
        case .constant(let i): graph.constants[i].type
        case .state(let i): graph.states[i].type
        case .local(let i): locals[i]
        }
    }

    /// The constant an operand is, when kernels' own layouts do not hide its elements.
    func plainConstant(_ operand: Operand) -> Constant? {
        guard case .constant(let i) = operand, graph.constants[i].type.layout == .plain else { return nil }
        return graph.constants[i]
    }

    // MARK: Writing

    /// Inserts a node before the one at a place, which with those before it makes what the node reads. Returns its first output.
    mutating func insert(_ node: Node, before place: Int) throws(ApusError) -> Operand {
        let inputs = node.inputs.map { type(of: $0) }, smallest = node.inputs.map { smallestType(of: $0) }
        let made = try node.op.checkedOutputTypes(inputs, dimensions: graph.maxima, node: node.name)
        smallestTypes += try node.op.checkedOutputTypes(
            smallest, dimensions: graph.dimensions.map { $0.minimum }, node: node.name)
        types += made
        let number = function.nodes.count
        order.insert(number, at: order.firstIndex(of: place)!)
        function.nodes.append(node)
        isRemoved.append(false)
        firstLocals.append(makers.count)
        makers += [Int?](repeating: number, count: made.count)
        return output(of: number)
    }

    /// Makes every reader of one value read another. False where a state is updated from it and the other is not made
    /// by a node: updates take only such values.
    mutating func replace(_ old: Operand, with new: Operand) -> Bool {
        let isUpdate = function.updates.contains { .local($0.local) == old }
        if isUpdate && maker(of: new) == nil { return false }
        for node in function.nodes.indices {
            for i in function.nodes[node].inputs.indices where function.nodes[node].inputs[i] == old {
                function.nodes[node].inputs[i] = new
            }
        }
        for i in function.outputs.indices where function.outputs[i].operand == old {
            function.outputs[i].operand = new
        }
        if case .local(let local) = new {
            for i in function.updates.indices where .local(function.updates[i].local) == old {
                function.updates[i].local = local
            }
        }
        return true
    }

    /// Removes a node that nothing reads.
    mutating func remove(_ node: Int) { isRemoved[node] = true }

    func isUnread(_ node: Int) -> Bool {
        (0..<function.nodes[node].op.outputCount).allSatisfy { readCount(of: output(of: node, $0)) == 0 }
    }

    /// Writes the function back to the graph.
    func finish() {
        var numbers = [Int](repeating: -1, count: makers.count)
        for input in function.inputs.indices { numbers[input] = input }
        var next = function.inputs.count
        for node in nodes {
            for local in makers.indices[firstLocals[node]...].prefix(while: { makers[$0] == node }) {
                numbers[local] = next + local - firstLocals[node]
            }
            next += function.nodes[node].op.outputCount
        }
        func renumbered(_ operand: Operand) -> Operand {
            if case .local(let local) = operand { return .local(numbers[local]) }
            return operand
        }
        var result = function
        result.nodes = nodes.map { place in
            var node = function.nodes[place]
            node.inputs = node.inputs.map(renumbered)
            return node
        }
        for i in result.outputs.indices { result.outputs[i].operand = renumbered(result.outputs[i].operand) }
        for i in result.updates.indices { result.updates[i].local = numbers[result.updates[i].local] }
        graph.functions[index] = result
    }
}

extension Graph {
    /// Rewrites every function in turn; `body` returns how many changes it made. Dimensions that nothing measures any more are
    /// at least 1, as others are.
    func rewriteFunctions(
        _ body: (inout FunctionEditor) throws(ApusError) -> Int
    ) throws(ApusError) -> Int {
        let valid = try ValidGraph(validating: self), wasMeasured = measuredDimensions
        var changes = 0
        for index in functions.indices {
            var editor = try FunctionEditor(valid, function: index)
            changes += try body(&editor)
            editor.finish()
        }
        for (i, isMeasured) in measuredDimensions.enumerated() where wasMeasured[i] && !isMeasured {
            dimensions[i].minimum = max(1, dimensions[i].minimum)
            dimensions[i].maximum = max(1, dimensions[i].maximum)
        }
        return changes
    }

    /// Appends a constant and returns the operand that reads it.
    func append(_ constant: Constant) -> Operand {
        constants.append(constant)
        return .constant(constants.count - 1)
    }
}
