import ApusGraph

/// act(product(x, W) + b + r) → one node, for every activation that products apply themselves.
let fuseActivationPass = RewritePass("fuse-activation", "product, then activation → one node") {
    graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes {
            guard let activation = editor[place].op as? ActivationOperator else { continue }
            guard case (let old, var product)? = editor.soleFusibleProduct(editor[place].inputs[0]),
                product.activation == .none
            else { continue }
            product.activation = activation.activation
            editor.move(product, from: old, to: place)
            changes += 1
        }
        return changes
    }
}
