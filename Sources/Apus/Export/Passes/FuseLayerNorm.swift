import ApusGraph

/// Layer normalization over the last axis as exporters of operator sets below 17 write it: the mean taken off, divided by
/// the root of the mean square and a small number, times gamma, plus beta.
let fuseLayerNormPass = RewritePass(
    "fuse-layer-norm", "(x − mean)/√(mean((x − mean)²) + ε)·gamma + beta → one node"
) { graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes {
            guard let match = LayerNormMatch(editor[place], editor), editor.haveSameType(match.x, editor.output(of: place))
            else { continue }
            let width = editor.type(of: match.x).shape.last
            let vectors = [match.gamma, match.beta].compactMap { editor.vector($0, width) }
            guard vectors.count == 2 else { continue }
            let inputs = [match.x] + vectors.map { graph.append($0) }
            editor[place] = Node(editor[place].name, ApusGraph.LayerNorm(axes: 1, epsilon: Float(match.epsilon)), inputs)
            changes += 1
        }
        if changes > 0 { _ = editor.removeUnreadNodes() }
        return changes
    }
}

private struct LayerNormMatch {
    let x: Operand
    let gamma: Operand
    let beta: Operand
    let epsilon: Double

    init?(_ node: Node, _ editor: FunctionEditor) {
        guard node.op.code == Operator.add.code else { return nil }
        for (value, beta) in [(node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])] {
            guard editor.plainConstant(beta) != nil, let product = editor.node(value, .mul)?.inputs else { continue }
            for (normal, gamma) in [(product[0], product[1]), (product[1], product[0])] {
                guard editor.plainConstant(gamma) != nil, let (x, epsilon) = LayerNormMatch.normalized(normal, editor) else {
                    continue
                }
                (self.x, self.gamma, self.beta, self.epsilon) = (x, gamma, beta, epsilon)
                return
            }
        }
        return nil
    }

    /// x and ε of (x − mean)/√(mean((x − mean)²) + ε).
    private static func normalized(_ operand: Operand, _ editor: FunctionEditor) -> (Operand, Double)? {
        guard let quotient = editor.node(operand, .div)?.inputs, let root = editor.node(quotient[1], .sqrt)?.inputs[0],
            let variance = editor.sum(root), let squares = editor.lastMean(variance.operand),
            editor.squared(squares) == quotient[0], let difference = editor.node(quotient[0], .sub)?.inputs,
            editor.lastMean(difference[1]) == difference[0]
        else { return nil }
        return (difference[0], variance.constant)
    }
}

extension FunctionEditor {
    /// A constant as a vector of this width: all its extents but the last are 1.
    func vector(_ operand: Operand, _ width: Int) -> Constant? {
        guard var constant = plainConstant(operand), constant.type.shape.last == width, constant.type.shape.count == width
        else { return nil }
        constant.type.shape = [width]
        return constant
    }
}
