import ApusGraph

/// Constants that every reader wants in the same packed layout are stored in it.
let packWeightsPass = RewritePass("pack-weights", "plain weights → the panels that kernels read") {
    graph throws(ApusError) in
    for index in graph.constants.indices where graph.constants[index].type.layout == .plain {
        var layout: Layout?
        var agreed = true
        for function in graph.functions {
            for node in function.nodes {
                for (i, operand) in node.inputs.enumerated() where operand == .constant(index) {
                    let wanted = node.op.packedLayout(input: i, type: graph.constants[index].type)
                    if wanted == nil || layout != nil && layout != wanted { agreed = false }
                    layout = wanted
                }
            }
            for output in function.outputs where output.operand == .constant(index) { agreed = false }
        }
        if agreed, let layout { graph.constants[index] = try Packing.pack(graph.constants[index], as: layout) }
    }
}
