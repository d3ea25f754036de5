import ApusGraph

/// Attention as exporters write it: scores of queries and keys in heads, softmax, their product with the values, and the heads
/// joined again.
///
/// Heads that are made by other nodes than a reshape and a transpose, as rotated ones are, are joined for the node; keys and values
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
            let node = editor[place]
            guard let match = AttentionMatch(node, editor), match.fits(editor.output(of: place), editor) else { continue }
            let inputs = try match.inputs(&editor, before: place)
            let attention = Node(node.name, match.op, inputs)
            changes += 1
            guard let mask = match.guardedMask else {
                editor[place] = attention
                continue
            }
            if !blind.contains(where: { $0.mask == mask }) {
                blind.append((mask, try AttentionMatch.blindQueries(mask, &editor, before: place)))
            }
            let type = TensorType(editor.type(of: mask).dtype, [])
            let zero = graph.append(Constant(node.name + "/zero", type, doubles: [0]))
            let y = try editor.insert(attention, before: place)
            editor[place] = Node(node.name + "/seen", Where(), [blind.first { $0.mask == mask }!.queries, zero, y])
        }
        if changes > 0 { _ = editor.removeUnreadNodes() }
        return changes
    }
}

private struct AttentionMatch {
    let op: Attention
    /// The mask, where a query that it lets see no key gives 0.
    let guardedMask: Operand?
    private let heads: [Heads]
    private let mask: Operand?

    /// Of the reshape that joins the heads.
    init?(_ node: Node, _ editor: FunctionEditor) {
        guard node.op is ApusGraph.Reshape, let y = AttentionMatch.transposed(node.inputs[0], [0, 2, 1, 3], editor),
            let product = AttentionMatch.product(y, editor), !product.op.transposeB, editor.readCount(of: product.a) == 1
        else { return nil }
        let known = AttentionMatch.known(product.a, editor), weights = known ?? product.a
        guard let softmax = editor.node(weights, ApusGraph.Softmax()),
            let axis = (softmax.op as? ApusGraph.Softmax)?.axis, axis == -1 || axis == 3,
            let v = Heads(product.b, editor), let scores = AttentionMatch.scores(softmax.inputs[0], editor),
            v.count == scores.k.count,
            // The operator's scale is of f32.
            editor.type(of: weights).dtype != .f64 || Double(Float(scores.scale)) == scores.scale
        else { return nil }
        op = Attention(
            heads: scores.q.count, keyValueHeads: scores.k.count, scale: Float(scores.scale), hasMask: scores.mask != nil)
        heads = [scores.q, scores.k, v]
        mask = scores.mask
        guardedMask = known == nil ? nil : mask
        // Queries are seen or not for all heads at once.
        guard known == nil || mask.map({ editor.type(of: $0).shape.rank == 4 && editor.type(of: $0).shape[1] == 1 }) == true
        else { return nil }
    }

    /// Whether the operator makes a value's type at the largest and at the smallest dimensions.
    func fits(_ result: Operand, _ editor: FunctionEditor) -> Bool {
        for type in [editor.type(of:), editor.smallestType(of:)] {
            let inputs = heads.map { $0.joined(type($0.operand)) } + (mask.map { [type($0)] } ?? [])
            guard let made = try? op.outputTypes(inputs), made == [type(result)] else { return false }
        }
        return true
    }

    /// The node's inputs, for which heads are joined where they are not.
    func inputs(_ editor: inout FunctionEditor, before place: Int) throws(ApusError) -> [Operand] {
        var inputs: [Operand] = []
        for (part, name) in zip(heads, ["q", "k", "v"]) {
            inputs.append(try part.joined(&editor, before: place, name: "\(editor[place].name)/\(name)"))
        }
        return inputs + (mask.map { [$0] } ?? [])
    }

    /// [N, T, 1] of a mask [N, 1, T, S]: whether it is −∞ for all keys of a query.
    static func blindQueries(_ mask: Operand, _ editor: inout FunctionEditor, before place: Int) throws(ApusError) -> Operand {
        let name = editor[place].name, type = TensorType(editor.type(of: mask).dtype, [])
        let most = try editor.insert(
            Node(name + "/most", Reduction(.max, axes: [3], keepDimensions: true), [mask]), before: place)
        let none = editor.graph.append(Constant(name + "/none", type, doubles: [-.infinity]))
        let isBlind = try editor.insert(Node(name + "/blind", .equal, [most, none]), before: place)
        return try editor.insert(Node(name + "/queries", ApusGraph.Reshape([0, -1, 1]), [isBlind]), before: place)
    }

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
        guard a.operands.count == 1, b.operands.count == 1, let q = Heads(a.operands[0], editor),
            let k = product.op.transposeB
                ? Heads(b.operands[0], editor) : Heads(transposed: b.operands[0], editor)
        else { return nil }
        return (whole.coefficient * a.coefficient * b.coefficient, q, k, nil)
    }

    private static func product(_ operand: Operand, _ editor: FunctionEditor) -> (op: MatMul, a: Operand, b: Operand)? {
        guard let node = editor.node(operand, MatMul()), let op = node.op as? MatMul, !op.transposeA else { return nil }
        return (op, node.inputs[0], node.inputs[1])
    }

    /// p of: 0 where p ≠ p, else p, if nothing else reads p.
    private static func known(_ operand: Operand, _ editor: FunctionEditor) -> Operand? {
        guard let choice = editor.node(operand, Where())?.inputs, editor.scalar(choice[1]) == 0,
            let isNumber = editor.node(choice[0], .not)?.inputs[0],
            editor.node(isNumber, .equal)?.inputs == [choice[2], choice[2]], editor.readCount(of: choice[2]) == 3
        else { return nil }
        return choice[2]
    }

    fileprivate static func transposed(_ operand: Operand, _ permutation: [Int], _ editor: FunctionEditor) -> Operand? {
        guard let node = editor.node(operand, Transpose(permutation)), (node.op as? Transpose)?.permutation == permutation
        else { return nil }
        return node.inputs[0]
    }
}

/// Queries, keys or values in heads.
private struct Heads {
    /// [N, T, count · size] if they are joined, else [N, count, T, size].
    let operand: Operand
    let count: Int
    let isJoined: Bool

    private init(_ operand: Operand, _ count: Int, isJoined: Bool) {
        (self.operand, self.count, self.isJoined) = (operand, count, isJoined)
    }

    /// Of x [N, count, T, size].
    init?(_ x: Operand, _ editor: FunctionEditor) {
        let heads = Heads.unrepeated(x, editor)
        if let found = Heads.split(heads, [0, 2, 1, 3], editor) {
            self = found
            return
        }
        let shape = editor.type(of: heads).shape, smallest = editor.smallestType(of: heads).shape
        guard shape.rank == 4, shape[1] == smallest[1] else { return nil }
        self.init(heads, shape[1], isJoined: false)
    }

    /// Of x [N, count, size, T].
    init?(transposed x: Operand, _ editor: FunctionEditor) {
        if let found = Heads.split(x, [0, 2, 3, 1], editor) {
            self = found
        } else {
            guard let heads = Heads.swapped(x, editor) else { return nil }
            self.init(heads, editor)
        }
    }

    /// The type of these heads, joined, of which one is given.
    func joined(_ type: TensorType) -> TensorType {
        isJoined ? type : TensorType(type.dtype, [type.shape[0], type.shape[2], count &* type.shape[3]])
    }

    func joined(_ editor: inout FunctionEditor, before place: Int, name: String) throws(ApusError) -> Operand {
        if isJoined { return operand }
        let rows = try editor.insert(Node(name + "/rows", Transpose([0, 2, 1, 3]), [operand]), before: place)
        let width = count &* editor.type(of: operand).shape[3]
        return try editor.insert(Node(name, ApusGraph.Reshape([0, 0, width]), [rows]), before: place)
    }

    /// The joined heads x [N, T, count · size] that a reshape to [N, T, count, size] and a transpose make.
    private static func split(_ operand: Operand, _ permutation: [Int], _ editor: FunctionEditor) -> Heads? {
        guard let parts = AttentionMatch.transposed(operand, permutation, editor),
            let x = editor.node(parts, ApusGraph.Reshape([]))?.inputs[0]
        else { return nil }
        for type in [editor.type(of:), editor.smallestType(of:)] {
            let from = type(x).shape, to = type(parts).shape
            guard from.rank == 3, to.rank == 4, from[0] == to[0], from[1] == to[1], from[2] == to[2] * to[3] else { return nil }
        }
        return Heads(x, editor.type(of: parts).shape[2], isJoined: true)
    }

    /// x [N, G, T, size] of each of its heads repeated in a row: reshaped to [N, G, 1, T, size], expanded, and reshaped to
    /// [N, count, T, size]; else the operand.
    private static func unrepeated(_ operand: Operand, _ editor: FunctionEditor) -> Operand {
        guard let many = editor.node(operand, ApusGraph.Reshape([]))?.inputs[0],
            let one = editor.node(many, Expand([]))?.inputs[0], let x = editor.node(one, ApusGraph.Reshape([]))?.inputs[0]
        else { return operand }
        for type in [editor.type(of:), editor.smallestType(of:)] {
            let from = type(x).shape, expanded = type(many).shape
            guard from.rank == 4, expanded.rank == 5, type(one).shape == [from[0], from[1], 1, from[2], from[3]],
                expanded == [from[0], from[1], expanded[2], from[2], from[3]],
                type(operand).shape == [from[0], from[1] * expanded[2], from[2], from[3]]
            else { return operand }
        }
        return x
    }

    /// x [N, count, T, size] of its transpose [N, count, size, T], made in three dimensions or in four.
    private static func swapped(_ operand: Operand, _ editor: FunctionEditor) -> Operand? {
        if let x = AttentionMatch.transposed(operand, [0, 1, 3, 2], editor) { return x }
        /// A value and those that reshapes make it of.
        func sources(_ operand: Operand) -> [Operand] {
            guard let source = editor.node(operand, ApusGraph.Reshape([]))?.inputs[0] else { return [operand] }
            return [operand] + sources(source)
        }
        guard let rows = AttentionMatch.transposed(sources(operand).last!, [0, 2, 1], editor) else { return nil }
        return sources(rows).first { x in
            [editor.type(of:), editor.smallestType(of:)].allSatisfy { type in
                let from = type(x).shape, flat = type(rows).shape
                return from.rank == 4 && flat[1] == from[2] && flat[2] == from[3]
                    && type(operand).shape == [from[0], from[1], from[3], from[2]]
            }
        }
    }
}
