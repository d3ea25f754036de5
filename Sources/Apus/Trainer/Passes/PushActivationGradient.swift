import ApusGraph

/// act′(x)·MaxPoolIndexGradient(index, dy) → MaxPoolIndexGradient(index, act′(y)·dy), and its sum per channel → the sum of dy: a
/// pool hands each gradient to one x that is y, so what is done to all of them is done where they are fewer. Then nothing reads x.
///
/// For activations whose slope is told from their result, which x is here.
let pushActivationGradientPass = RewritePass(
    "push-activation-gradient", "what follows the gradient of a max pool → ahead of it"
) { graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes {
            let node = editor[place]
            guard let routed = node.op is SumLike ? node.inputs[0] : node.inputs.last,
                let pool = editor.maker(of: routed), editor[pool].op is MaxPoolIndexGradient
            else { continue }
            let index = editor[pool].inputs[0], dy = editor[pool].inputs[1], x = editor[pool].inputs[2]
            if node.op is SumLike, editor.type(of: node.inputs[1]).shape.rank == 1 {
                editor[place].inputs[0] = dy
                changes += 1
            } else if let gradient = node.op as? ActivationGradient, gradient.activation.differentiatesOutput,
                node.inputs[0] == x, editor.readCount(of: routed) == 1, let forward = editor.maker(of: index),
                editor[forward].op is MaxPoolIndex, editor[forward].inputs[0] == x
            {
                editor[place] = Node(editor[pool].name, editor[pool].op, [index, routed, x])
                editor[pool] = Node(node.name, gradient, [editor.output(of: forward), dy])
                changes += 1
            }
        }
        return changes
    }
}
