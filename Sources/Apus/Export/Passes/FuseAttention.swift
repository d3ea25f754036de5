import ApusGraph

/// Attention as exporters write it: heads split by a reshape and a transpose, scores, softmax, their product with the values, and
/// the heads joined again.
let fuseAttentionPass = RewritePass(
    "fuse-attention", "softmax(scale·Q·Kᵀ + mask)·V in heads → one node"
) { graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes {
            guard let match = AttentionMatch(editor[place], editor), match.fits(editor.output(of: place), editor) else {
                continue
            }
            editor[place] = Node(editor[place].name, match.op, match.inputs)
            changes += 1
        }
        if changes > 0 { _ = editor.removeUnreadNodes() }
        return changes
    }
}

private struct AttentionMatch {
    let op: Attention
    let inputs: [Operand]

    /// Of the reshape that joins the heads.
    init?(_ node: Node, _ editor: FunctionEditor) {
        guard node.op is ApusGraph.Reshape, let y = AttentionMatch.transposed(node.inputs[0], [0, 2, 1, 3], editor),
            let product = AttentionMatch.product(y, editor), !product.op.transposeB, editor.readCount(of: product.a) == 1,
            let softmax = editor.node(product.a, ApusGraph.Softmax()),
            let axis = (softmax.op as? ApusGraph.Softmax)?.axis, axis == -1 || axis == 3,
            let v = AttentionMatch.heads(product.b, [0, 2, 1, 3], editor),
            let scores = AttentionMatch.scores(softmax.inputs[0], editor),
            // The operator's scale is of f32.
            editor.type(of: product.a).dtype != .f64 || Double(Float(scores.scale)) == scores.scale
        else { return nil }
        op = Attention(
            heads: scores.q.count, keyValueHeads: scores.k.count, scale: Float(scores.scale), hasMask: scores.mask != nil)
        inputs = [scores.q.operand, scores.k.operand, v.operand] + (scores.mask.map { [$0] } ?? [])
        guard v.count == scores.k.count else { return nil }
    }

    /// Whether the operator makes a value's type at the largest and at the smallest dimensions.
    func fits(_ result: Operand, _ editor: FunctionEditor) -> Bool {
        for type in [editor.type(of:), editor.smallestType(of:)] {
            guard let made = try? op.outputTypes(inputs.map { type($0) }), made == [type(result)] else { return false }
        }
        return true
    }

    private typealias Heads = (operand: Operand, count: Int)

    /// scale·Q·Kᵀ, with a mask added at the end.
    private static func scores(
        _ operand: Operand, _ editor: FunctionEditor
    ) -> (scale: Double, q: Heads, k: Heads, mask: Operand?)? {
        if let inputs = editor.node(operand, .add)?.inputs {
            for (sum, mask) in [(inputs[0], inputs[1]), (inputs[1], inputs[0])] {
                guard let found = scores(sum, editor), found.mask == nil else { continue }
                return (found.scale, found.q, found.k, mask)
            }
            return nil
        }
        let whole = editor.factors(operand)
        guard whole.operands.count == 1, let product = product(whole.operands[0], editor) else { return nil }
        let a = editor.factors(product.a), b = editor.factors(product.b)
        guard a.operands.count == 1, b.operands.count == 1, let q = heads(a.operands[0], [0, 2, 1, 3], editor),
            let k = heads(b.operands[0], product.op.transposeB ? [0, 2, 1, 3] : [0, 2, 3, 1], editor)
        else { return nil }
        return (whole.coefficient * a.coefficient * b.coefficient, q, k, nil)
    }

    private static func product(_ operand: Operand, _ editor: FunctionEditor) -> (op: MatMul, a: Operand, b: Operand)? {
        guard let node = editor.node(operand, MatMul()), let op = node.op as? MatMul, !op.transposeA else { return nil }
        return (op, node.inputs[0], node.inputs[1])
    }

    private static func transposed(_ operand: Operand, _ permutation: [Int], _ editor: FunctionEditor) -> Operand? {
        guard let node = editor.node(operand, Transpose(permutation)), (node.op as? Transpose)?.permutation == permutation
        else { return nil }
        return node.inputs[0]
    }

    /// x [N, T, count · size] of a transpose of [N, T, count, size].
    private static func heads(_ operand: Operand, _ permutation: [Int], _ editor: FunctionEditor) -> Heads? {
        guard let parts = transposed(operand, permutation, editor), let x = editor.node(parts, ApusGraph.Reshape([]))?.inputs[0]
        else { return nil }
        for type in [editor.type(of:), editor.smallestType(of:)] {
            let from = type(x).shape, to = type(parts).shape
            guard from.rank == 3, to.rank == 4, from[0] == to[0], from[1] == to[1], from[2] == to[2] * to[3] else { return nil }
        }
        return (x, editor.type(of: parts).shape[2])
    }
}
