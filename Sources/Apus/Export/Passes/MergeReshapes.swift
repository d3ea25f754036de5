import ApusGraph

/// Reshapes in a row are one, and one to the shape that its input has is none.
let mergeReshapesPass = RewritePass("merge-reshapes", "a reshape of a reshape → one reshape, or none") {
    graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes where editor[place].op is ApusGraph.Reshape {
            let result = editor.output(of: place), types = editor.types(of: result)
            // Two dimensions of equal bounds look alike.
            guard zip(types.largest.shape.dimensions, types.smallest.shape.dimensions).count(where: { $0 != $1 }) <= 1,
                let source = editor.node(editor[place].inputs[0], ApusGraph.Reshape([]))?.inputs[0],
                let op = ApusGraph.Reshape(from: editor.types(of: source), to: types)
            else { continue }
            if !editor.haveSameType(source, result) {
                editor[place] = Node(editor[place].name, op, [source])
            } else if !editor.replace(result, with: source) {
                continue
            }
            changes += 1
        }
        if changes > 0 { _ = editor.removeUnreadNodes() }
        return changes
    }
}
