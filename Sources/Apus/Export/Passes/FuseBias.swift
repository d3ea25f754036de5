import ApusGraph

/// Add(product(x, W), b) → the product with bias b, where b is a constant row with an element for each output channel.
let fuseBiasPass = RewritePass("fuse-bias", "product, then Add of a row → one node") { graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes where editor[place].op.code == Operator.add.code {
            let inputs = editor[place].inputs
            for (value, row) in [(inputs[0], inputs[1]), (inputs[1], inputs[0])] {
                let type = editor.type(of: value)
                guard case (let old, var product)? = editor.soleProduct(value), product.bias == nil,
                    product.residual == nil, product.activation == .none,
                    editor.plainConstant(row)?.type == TensorType(type.dtype, [type.shape.last])
                else { continue }
                product.bias = row
                editor.move(product, from: old, to: place)
                changes += 1
                break
            }
        }
        return changes
    }
}
