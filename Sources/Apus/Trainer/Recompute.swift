import ApusGraph

/// Computes results that gradients read a second time, just before they do, instead of keeping them from the forward part on:
/// those of nodes that cost little next to a product and whose own inputs are kept anyway. The bits are the same, the arena is
/// smaller, a step takes longer (Chen, Xu, Zhang, Guestrin 2016).
///
/// What is computed again: activations, functions of one tensor, and batch norms without a residual (the residual would be a
/// chain of them).
struct Recompute {
    /// The function rewritten.
    private(set) var result: Function
    /// How many nodes are computed twice.
    private(set) var copies = 0

    private let function: Function
    /// The first node of the gradients.
    private let begin: Int
    /// Per old local the node that makes it, and which of its outputs that is; nil for inputs.
    private let makers: [(node: Int, output: Int)?]
    /// Per old local what it is now.
    private var places: [Int]
    private var next: Int
    /// Per node of the forward part the first output of its copy.
    private var again: [Int?]

    /// - Parameter begin: the node at which the gradients of the function begin.
    init(_ function: Function, backwardFrom begin: Int) {
        self.function = function
        self.begin = begin
        result = function
        result.nodes = []
        var makers: [(node: Int, output: Int)?] = function.inputs.map { _ in nil }
        for (i, node) in function.nodes.enumerated() {
            for output in 0..<node.op.outputCount { makers.append((i, output)) }
        }
        self.makers = makers
        places = Array(function.inputs.indices)
        next = function.inputs.count
        again = [Int?](repeating: nil, count: begin)
        for (i, node) in function.nodes.enumerated() {
            var node = node
            for (slot, input) in node.inputs.enumerated() {
                node.inputs[slot] = i >= begin && slot < node.op.inputsRead ? recomputed(input) : kept(input)
            }
            let first = append(node)
            places += (0..<node.op.outputCount).map { first + $0 }
        }
        for i in result.outputs.indices { result.outputs[i].operand = kept(result.outputs[i].operand) }
        for i in result.updates.indices { result.updates[i].local = places[result.updates[i].local] }
    }

    private static func isCheap(_ op: Operator) -> Bool {
        if let norm = op as? BatchNormTraining { return !norm.hasResidual }
        return op is ActivationOperator || op is UnaryElementwise
    }

    /// Returns the node's first output.
    private mutating func append(_ node: Node) -> Int {
        result.nodes.append(node)
        defer { next += node.op.outputCount }
        return next
    }

    private func kept(_ operand: Operand) -> Operand {
        if case .local(let i) = operand { return .local(places[i]) }
        return operand
    }

    /// The operand as a node of the gradients reads it. The statistics of a batch norm are small: they are kept.
    private mutating func recomputed(_ operand: Operand) -> Operand {
        guard case .local(let i) = operand, let maker = makers[i], maker.node < begin, maker.output == 0,
            Recompute.isCheap(function.nodes[maker.node].op)
        else { return kept(operand) }
        if let first = again[maker.node] { return .local(first) }
        var node = function.nodes[maker.node]
        node.name = "again/\(node.name)"
        for slot in node.inputs.indices { node.inputs[slot] = recomputed(node.inputs[slot]) }
        let first = append(node)
        again[maker.node] = first
        copies += 1
        return .local(first)
    }
}
