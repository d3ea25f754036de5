import ApusGraph

/// Attention as exporters write it: scores of queries and keys in heads, softmax, their product with the values, and the heads
/// joined again.
///
/// Heads that are made by other nodes than reshapes and transposes, as rotated ones are, are joined for the node; keys and values
/// that are repeated for several heads are not. Where exporters let weights that are NaN count as 0, for queries that may see no
/// key, such a query's result is 0.
let fuseAttentionPass = RewritePass(
    "fuse-attention", "softmax(scale·Q·Kᵀ + mask)·V in heads → one node"
) { graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        /// Per mask which queries see no key.
        var blind: [(mask: Operand, queries: Operand)] = []
        for place in editor.nodes {
            guard let match = AttentionMatch(place, editor) else { continue }
            try match.write(to: &editor, &blind)
            changes += 1
        }
        if changes > 0 { _ = editor.removeUnreadNodes() }
        return changes
    }
}

private struct AttentionMatch {
    private let op: Attention
    /// Queries, keys and values.
    private let parts: [HeadLayout]
    private let mask: Operand?
    /// Whether a query that the mask lets see no key gives 0.
    private let isGuarded: Bool
    /// The reshape that joins the heads.
    private let place: Int
    /// What makes the result, where it is of another shape.
    private var view: ApusGraph.Reshape?

    /// Of the reshape that joins the heads.
    init?(_ place: Int, _ editor: FunctionEditor) {
        guard editor[place].op is ApusGraph.Reshape, let joined = HeadLayout.joined(editor[place].inputs[0], editor),
            let product = AttentionMatch.product(joined, editor), !product.op.transposeB, editor.readCount(of: product.a) == 1
        else { return nil }
        let guarded = AttentionMatch.known(product.a, editor) ?? AttentionMatch.unmasked(product.a, editor)
        let weights = guarded?.weights ?? product.a
        guard let softmax = editor.node(weights, ApusGraph.Softmax()),
            let axis = (softmax.op as? ApusGraph.Softmax)?.axis, axis == -1 || axis == 3,
            let v = HeadLayout.of(product.b, isScaled: false, editor),
            let scores = AttentionMatch.scores(softmax.inputs[0], editor), v.count == scores.k.count,
            guarded?.mask == nil || guarded?.mask == scores.mask,
            // The operator's scale is of f32.
            editor.type(of: weights).dtype != .f64 || Double(Float(scores.scale)) == scores.scale
        else { return nil }
        op = Attention(
            heads: scores.q.count, keyValueHeads: scores.k.count, scale: Float(scores.scale), hasMask: scores.mask != nil)
        (parts, mask, self.place) = ([scores.q, scores.k, v], scores.mask, place)
        isGuarded = guarded != nil
        let wide = mask.map { AttentionMatch.wide($0, editor) }
        // Queries are seen or not for all heads at once.
        guard !isGuarded || wide.map({ $0.largest.shape.rank == 4 && $0.largest.shape[1] == 1 }) == true else { return nil }
        let inputs = parts.map { $0.types } + (wide.map { [$0] } ?? [])
        guard let largest = try? op.outputTypes(inputs.map { $0.largest }),
            let smallest = try? op.outputTypes(inputs.map { $0.smallest })
        else { return nil }
        let made = TypeBounds(largest: largest[0], smallest: smallest[0]), result = editor.types(of: editor.output(of: place))
        if made == result { return }
        guard let op = ApusGraph.Reshape(from: made, to: result) else { return nil }
        view = op
    }

    func write(
        to editor: inout FunctionEditor, _ blind: inout [(mask: Operand, queries: Operand)]
    ) throws(ApusError) {
        let name = editor[place].name
        var inputs: [Operand] = []
        for (part, what) in zip(parts, ["q", "k", "v"]) {
            inputs.append(try part.written(to: &editor, before: place, name: "\(name)/\(what)"))
        }
        if let mask { inputs.append(AttentionMatch.widened(mask, editor)) }
        var node = Node(name, op, inputs)
        if isGuarded, let mask = inputs.last {
            if !blind.contains(where: { $0.mask == mask }) {
                blind.append((mask, try AttentionMatch.blindQueries(mask, &editor, before: place)))
            }
            let type = TensorType(editor.type(of: mask).dtype, [])
            let zero = editor.graph.append(Constant(name + "/zero", type, doubles: [0]))
            let y = try editor.insert(node, before: place)
            node = Node(name + "/seen", Where(), [blind.first { $0.mask == mask }!.queries, zero, y])
        }
        if let view { node = Node(name + "/view", view, [try editor.insert(node, before: place)]) }
        editor[place] = node
    }

    /// A mask of the type that `wide` says.
    private static func widened(_ mask: Operand, _ editor: FunctionEditor) -> Operand {
        let type = wide(mask, editor).largest
        guard type != editor.type(of: mask), var constant = editor.plainConstant(mask) else { return mask }
        constant.type = type
        return editor.graph.append(constant)
    }

    /// [N, T, 1] of a mask [N, 1, T, S]: whether it is −∞ for all keys of a query.
    private static func blindQueries(
        _ mask: Operand, _ editor: inout FunctionEditor, before place: Int
    ) throws(ApusError) -> Operand {
        let name = editor[place].name, type = TensorType(editor.type(of: mask).dtype, [])
        let most = try editor.insert(
            Node(name + "/most", Reduction(.max, axes: [3], keepDimensions: true), [mask]), before: place)
        let none = editor.graph.append(Constant(name + "/none", type, doubles: [-.infinity]))
        let isBlind = try editor.insert(Node(name + "/blind", .equal, [most, none]), before: place)
        return try editor.insert(Node(name + "/queries", ApusGraph.Reshape([0, -1, 1]), [isBlind]), before: place)
    }

    /// The types of a mask, which has leading extents of 1 where it is a constant.
    private static func wide(_ mask: Operand, _ editor: FunctionEditor) -> TypeBounds {
        guard var type = editor.plainConstant(mask)?.type, type.shape.rank < 4 else { return editor.types(of: mask) }
        type.shape = Shape([Int](repeating: 1, count: 4 - type.shape.rank) + type.shape.dimensions)
        return TypeBounds(largest: type, smallest: type)
    }

    /// scale·Q·Kᵀ, with a mask added at the end.
    private static func scores(
        _ operand: Operand, _ editor: FunctionEditor
    ) -> (scale: Double, q: HeadLayout, k: HeadLayout, mask: Operand?)? {
        if let inputs = editor.node(operand, .add)?.inputs {
            for (sum, mask) in [(inputs[0], inputs[1]), (inputs[1], inputs[0])] {
                guard let found = scores(sum, editor), found.mask == nil else { continue }
                return (found.scale, found.q, found.k, mask)
            }
            return nil
        }
        let whole = editor.factors(operand)
        guard whole.operands.count == 1, let product = product(whole.operands[0], editor) else { return nil }
        guard let q = HeadLayout.of(product.a, isScaled: true, editor),
            let k = HeadLayout.of(product.b, transposed: !product.op.transposeB, isScaled: true, editor)
        else { return nil }
        return (whole.coefficient * q.scale * k.scale, q, k, nil)
    }

    private static func product(_ operand: Operand, _ editor: FunctionEditor) -> (op: MatMul, a: Operand, b: Operand)? {
        guard let node = editor.node(operand, MatMul()), let op = node.op as? MatMul, !op.transposeA else { return nil }
        return (op, node.inputs[0], node.inputs[1])
    }

    /// Weights behind a guard, and the mask that it looks at, if not at the weights.
    private typealias Guarded = (weights: Operand, mask: Operand?)

    /// p and m of: 0 where max m over the last axis is −∞, else p, if nothing else reads p.
    private static func unmasked(_ operand: Operand, _ editor: FunctionEditor) -> Guarded? {
        guard let choice = editor.node(operand, Where())?.inputs, editor.scalar(choice[1]) == 0,
            editor.readCount(of: choice[2]) == 1,
            let test = editor.node(choice[0], .equal)?.inputs, editor.scalar(test[1]) == -.infinity,
            let most = editor.node(test[0], Reduction(.max)), let op = most.op as? Reduction, op.keepDimensions,
            op.axes == [-1] || op.axes == [editor.type(of: most.inputs[0]).shape.rank - 1]
        else { return nil }
        return (choice[2], most.inputs[0])
    }

    /// p of: 0 where p ≠ p, else p, if nothing else reads p.
    private static func known(_ operand: Operand, _ editor: FunctionEditor) -> Guarded? {
        guard let choice = editor.node(operand, Where())?.inputs, editor.scalar(choice[1]) == 0,
            let isNumber = editor.node(choice[0], .not)?.inputs[0],
            editor.node(isNumber, .equal)?.inputs == [choice[2], choice[2]], editor.readCount(of: choice[2]) == 3
        else { return nil }
        return (choice[2], nil)
    }
}
