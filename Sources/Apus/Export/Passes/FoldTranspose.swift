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
                transpose.permutation.first == 0, let weights = editor.plainConstant(product.weights),
                weights.type.dtype == .f32 || weights.type.dtype == .f64
            else { continue }
            let source = editor[moving].inputs[0], sample = editor.type(of: source).shape.dimensions.dropFirst()
            guard weights.type.shape[0] == sample.reduce(1, *), editor.type(of: product.x).shape.rank == 2,
                sample.elementsEqual(editor.smallestType(of: source).shape.dimensions.dropFirst())
            else { continue }
            let values = try weights.doubles(), columns = weights.type.shape[1]
            let moved = rows(of: Array(sample), transpose.permutation).flatMap { values[$0 * columns..<($0 + 1) * columns] }
            product.weights = graph.append(Constant(weights.name, weights.type, doubles: moved))
            editor[flatten].inputs[0] = source
            editor[place] = product.node
            editor.remove(moving)
            changes += 1
        }
        return changes
    }
}

/// For each element of a sample, in its order, where it stands once its axes are permuted.
private func rows(of sample: [Int], _ permutation: [Int]) -> [Int] {
    var strides = sample, stride = 1
    for axis in permutation.dropFirst().reversed() {
        strides[axis - 1] = stride
        stride *= sample[axis - 1]
    }
    return zip(sample, strides).reduce([0]) { places, axis in
        places.flatMap { place in (0..<axis.0).map { place + $0 * axis.1 } }
    }
}

extension FunctionEditor {
    /// The node that makes a value which one node alone reads.
    fileprivate func soleMaker(_ operand: Operand) -> Int? { readCount(of: operand) == 1 ? maker(of: operand) : nil }
}
