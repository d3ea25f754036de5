import ApusGraph

/// product(flatten(transpose(x)), W) → product(flatten(x), W with its rows moved): channels first, before a dense layer. Needs
/// constant weights, a batch that stays where it is, and values that nothing else reads.
let foldTransposePass = RewritePass("fold-transpose", "transpose, flatten, product → flatten, product of moved rows") {
    graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes {
            guard editor[place].op is ApusGraph.Dense, var product = Product(editor[place]),
                let flatten = editor.soleMaker(product.x), editor[flatten].op is ApusGraph.Reshape,
                let moving = editor.soleMaker(editor[flatten].inputs[0]), let transpose = editor[moving].op as? ApusGraph.Transpose,
                transpose.permutation.first == 0, let weights = editor.plainConstant(product.weights)
            else { continue }
            let source = editor[moving].inputs[0], sample = editor.type(of: source).shape.dimensions.dropFirst()
            guard weights.type.shape[0] == sample.reduce(1, *), editor.type(of: product.x).shape.rank == 2,
                sample.elementsEqual(editor.smallestType(of: source).shape.dimensions.dropFirst())
            else { continue }
            product.weights = graph.append(try moved(weights, transpose.permutation, Array(sample)))
            editor[flatten].inputs[0] = source
            editor[place] = product.node
            editor.remove(moving)
            changes += 1
        }
        return changes
    }
}

/// W [K, N], whose rows are for a sample with permuted axes, with its rows in the order of the sample itself.
private func moved(_ weights: Constant, _ permutation: [Int], _ sample: [Int]) throws(ApusError) -> Constant {
    let axes = permutation.dropFirst().map { $0 - 1 }
    var apart = weights
    apart.type.shape = Shape(axes.map { sample[$0] } + [weights.type.shape[1]])
    let back = ApusGraph.Transpose(sample.indices.map { axes.firstIndex(of: $0)! } + [sample.count])
    var result = try LazyStorage.transpose(apart, back, name: weights.name)
    result.type.shape = weights.type.shape
    return result
}

extension FunctionEditor {
    /// The node that makes a value which one node alone reads.
    fileprivate func soleMaker(_ operand: Operand) -> Int? { readCount(of: operand) == 1 ? maker(of: operand) : nil }
}
