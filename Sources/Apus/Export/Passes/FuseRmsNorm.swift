import ApusGraph

/// Root mean square normalization over the last axis as exporters of operator sets below 23 write it: divided by the root of the mean
/// square and a small number, times gamma.
let fuseRmsNormPass = RewritePass("fuse-rms-norm", "x/√(mean(x²) + ε)·gamma → one node") { graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes {
            guard let match = RmsNormMatch(editor[place], editor), editor.haveSameType(match.x, editor.output(of: place)),
                let gamma = editor.vector(match.gamma, editor.type(of: match.x).shape.last)
            else { continue }
            let op = RmsNorm(epsilon: Float(match.epsilon))
            guard (try? op.outputTypes([editor.type(of: match.x), gamma.type])) != nil else { continue }
            editor[place] = Node(editor[place].name, op, [match.x, graph.append(gamma)])
            changes += 1
        }
        if changes > 0 { _ = editor.removeUnreadNodes() }
        return changes
    }
}

private struct RmsNormMatch {
    let x: Operand
    let gamma: Operand
    let epsilon: Double

    init?(_ node: Node, _ editor: FunctionEditor) {
        guard node.op.code == Operator.mul.code else { return nil }
        for (value, gamma) in [(node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])] {
            guard editor.plainConstant(gamma) != nil, let (x, epsilon) = RmsNormMatch.normalized(value, editor) else { continue }
            (self.x, self.gamma, self.epsilon) = (x, gamma, epsilon)
            return
        }
        return nil
    }

    /// x and ε of x/√(mean(x²) + ε), or of x times 1 over that root.
    private static func normalized(_ operand: Operand, _ editor: FunctionEditor) -> (Operand, Double)? {
        if let quotient = editor.node(operand, .div)?.inputs {
            return epsilon(quotient[0], root: quotient[1], editor).map { (quotient[0], $0) }
        }
        guard let product = editor.node(operand, .mul)?.inputs else { return nil }
        for (x, factor) in [(product[0], product[1]), (product[1], product[0])] {
            if let root = editor.inverse(factor), let epsilon = epsilon(x, root: root, editor) { return (x, epsilon) }
        }
        return nil
    }

    /// ε of √(mean(x²) + ε).
    private static func epsilon(_ x: Operand, root: Operand, _ editor: FunctionEditor) -> Double? {
        guard let square = editor.node(root, .sqrt)?.inputs[0], let sum = editor.sum(square),
            let squares = editor.lastMean(sum.operand), editor.squared(squares) == x
        else { return nil }
        return sum.constant
    }
}
