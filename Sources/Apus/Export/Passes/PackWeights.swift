import ApusGraph

/// Constants that every reader wants in the same packed layout are stored in it.
let packWeightsPass = RewritePass("pack-weights", "plain weights → the panels that kernels read") {
    graph, _ throws(ApusError) in
    var changes = 0
    for index in graph.constants.indices where graph.constants[index].type.layout == .plain {
        guard let layout = graph.agreedLayout(ofConstant: index) else { continue }
        let plain = graph.constants[index]
        graph.constants[index] = try Packing.pack(plain, as: layout)
        plain.storage.discard()
        changes += 1
    }
    return changes
}

extension Graph {
    /// The layout that every reader of a plain constant wants; nil where one reads it plain, or two disagree.
    func agreedLayout(ofConstant index: Int) -> Layout? {
        var layout: Layout?
        for function in functions {
            for node in function.nodes {
                for (i, operand) in node.inputs.enumerated() where operand == .constant(index) {
                    guard let wanted = node.op.packedLayout(input: i, type: constants[index].type),
                        layout == nil || layout == wanted
                    else { return nil }
                    layout = wanted
                }
            }
            if function.outputs.contains(where: { $0.operand == .constant(index) }) { return nil }
        }
        return layout
    }
}
