import ApusGraph

/// Add(product(x, W) + b, r) → the product with residual r, where r has the shape of the result.
let fuseResidualPass = RewritePass("fuse-residual", "product, then Add of its shape → one node") {
    graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes where editor[place].op.code == Operator.add.code {
            let inputs = editor[place].inputs
            guard editor.haveSameType(inputs[0], inputs[1]) else { continue }
            for (value, residual) in [(inputs[0], inputs[1]), (inputs[1], inputs[0])] {
                guard case (let old, var product)? = editor.soleFusibleProduct(value), product.residual == nil,
                    product.activation == .none
                else { continue }
                product.residual = residual
                editor.move(product, from: old, to: place)
                changes += 1
                break
            }
        }
        return changes
    }
}
