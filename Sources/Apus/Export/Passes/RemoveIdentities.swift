import ApusGraph

/// Nodes whose output is their input, whatever the symbolic dimensions are.
let removeIdentitiesPass = RewritePass("remove-identities", "a node that changes nothing → its input") {
    graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes where isIdentity(editor[place], editor.output(of: place), editor) {
            guard editor.replace(editor.output(of: place), with: editor[place].inputs[0]) else { continue }
            editor.remove(place)
            changes += 1
        }
        return changes
    }
}

private func isIdentity(_ node: Node, _ output: Operand, _ editor: FunctionEditor) -> Bool {
    guard node.op.outputCount == 1, let input = node.inputs.first, editor.haveSameType(input, output) else {
        return false
    }
    // Two dimensions of equal bounds look alike, and so does one that a node measures.
    let symbols = zip(editor.type(of: input).shape.dimensions, editor.smallestType(of: input).shape.dimensions).count { $0 != $1 }
    return switch node.op {
    case let transpose as ApusGraph.Transpose: transpose.permutation == Array(0..<transpose.permutation.count)
    case let slice as ApusGraph.Slice: slice.steps.allSatisfy { $0 > 0 }
    case is ApusGraph.Cast, is ApusGraph.Concat, is ApusGraph.Split, is ApusGraph.Expand, is ApusGraph.Pad: true
    case is Trim: false
    case is ReshapeLike: symbols <= 1
    default: node.op.isView
    }
}
