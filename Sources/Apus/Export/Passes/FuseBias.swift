import ApusGraph

/// product(x, W) + b → one node, where b is a vector along the output channels.
let fuseBiasPass = RewritePass("fuse-bias", "product, then Add of a vector → one node") { graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes where editor[place].op.code == Operator.add.code {
            let inputs = editor[place].inputs
            for (value, bias) in [(inputs[0], inputs[1]), (inputs[1], inputs[0])] {
                guard case (let old, var product)? = editor.soleFusibleProduct(value), product.bias == nil,
                    product.residual == nil, product.activation == .none,
                    editor.haveSameType(value, editor.output(of: place)),
                    let vector = editor.vector(bias, editor.type(of: value).shape.last)
                else { continue }
                product.bias = graph.append(vector)
                editor.move(product, from: old, to: place)
                changes += 1
                break
            }
        }
        return changes
    }
}
