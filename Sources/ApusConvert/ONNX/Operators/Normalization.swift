import ApusGraph

let normalizationOperators: [OnnxOperator] = [
    OnnxOperator("BatchNormalization", batchNormalization),
    OnnxOperator("InstanceNormalization", instanceNormalization),
    OnnxOperator("GroupNormalization", since: 18) { n throws(ApusError) -> Term in try groupNormalization(n, perGroup: true) },
    OnnxOperator("GroupNormalization", since: 21) { n throws(ApusError) -> Term in try groupNormalization(n, perGroup: false) },
    OnnxOperator("LayerNormalization", layerNormalization),
    OnnxOperator("RMSNormalization", rmsNormalization),
    OnnxOperator("LpNormalization", lpNormalization),
    OnnxOperator("MeanVarianceNormalization", meanVarianceNormalization),
    OnnxOperator("LRN", localResponseNormalization),
]

private func batchNormalization(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let x = try n.term(0), epsilon = try n.float("epsilon", 1e-5)
    if try n.flag("training_mode") { return try batchNormalizationTraining(n, x, epsilon) }
    guard n.node.outputs.count == 1 else { throw .unsupported("BatchNormalization in training mode") }
    var operands = [x]
    for i in 1...4 { operands.append(try n.term(i)) }
    return [ImportedValue(try n.g.computing(operands, in: .real) { terms throws(ApusError) in
        var parameters: [Term] = []
        for term in terms.dropFirst() { parameters.append(try n.g.cast(term, to: terms[0].dtype)) }
        let image = x.rank > 2 ? try n.g.channelsLast(terms[0]) : terms[0]
        let y = try n.g.emit(BatchNorm(epsilon: max(epsilon, .leastNormalMagnitude)), [image] + parameters)[0]
        return x.rank > 2 ? try n.g.channelsFirst(y) : y
    })]
}

/// By the batch's own mean and variance; the moving ones follow.
private func batchNormalizationTraining(_ n: NodeContext, _ x: Term, _ epsilon: Float) throws(ApusError) -> [ImportedValue] {
    let axes = (0..<x.rank).filter { $0 != 1 }, momentum = Double(try n.float("momentum", 0.9))
    let (mean, variance) = try n.g.moments(x, axes)
    let columns = [try x.extent(1)]
    let wide = [1, columns[0]] + [Int](repeating: 1, count: max(0, x.rank - 2))
    let y = try n.g.normalized(
        x, mean, variance, epsilon: epsilon, try n.g.reshape(try n.term(1), wide), try n.g.reshape(try n.term(2), wide))
    func moving(_ old: Term, _ new: Term) throws(ApusError) -> ImportedValue {
        let a = try n.g.mul(old, try n.g.scalar(momentum, like: old))
        let b = try n.g.mul(try n.g.reshape(new, columns), try n.g.scalar(1 - momentum, like: new))
        return ImportedValue(try n.g.add(a, b))
    }
    return [ImportedValue(y), try moving(try n.term(3), mean), try moving(try n.term(4), variance)]
}

private func instanceNormalization(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    let (mean, variance) = try n.g.moments(x, Array(2..<max(2, x.rank)))
    let wide = [try x.extent(1)] + [Int](repeating: 1, count: max(0, x.rank - 2))
    return try n.g.normalized(
        x, mean, variance, epsilon: try n.float("epsilon", 1e-5), try n.g.reshape(try n.term(1), wide),
        try n.g.reshape(try n.term(2), wide))
}

/// Scale and bias are per group up to version 18, per channel since 21.
private func groupNormalization(_ n: NodeContext, perGroup: Bool) throws(ApusError) -> Term {
    let x = try n.term(0), groups = try n.int("num_groups")
    let channels = try x.extent(1)
    guard groups >= 1, channels % groups == 0 else { throw .shape("\(channels) channels in \(groups) groups") }
    let grouped = try n.g.reshape(x, to: x.shapes.map { [$0[0], groups, channels / groups, $0.product(2..<$0.rank)] })
    let (mean, variance) = try n.g.moments(grouped, [2, 3])
    let wide = perGroup ? [groups, 1, 1] : [groups, channels / groups, 1]
    let y = try n.g.normalized(
        grouped, mean, variance, epsilon: try n.float("epsilon", 1e-5), try n.g.reshape(try n.term(1), wide),
        try n.g.reshape(try n.term(2), wide))
    return try n.g.reshape(y, to: x.shapes.map { $0.dimensions })
}

private func layerNormalization(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let x = try n.term(0)
    let axis = try x.axis(try n.int("axis", -1)), epsilon = try n.float("epsilon", 1e-5)
    let wide = try n.g.widened(x, .real)
    let axes = Array(axis..<x.rank)
    let outputs = try n.g.layerNorm(
        wide, try rowParameter(n, 1, 1, axes, like: wide), try rowParameter(n, 2, 0, axes, like: wide), axes: axes.count,
        epsilon: epsilon)
    let statistics = x.shapes.map { $0.dimensions.enumerated().map { $0 < axis ? $1 : 1 } }
    return [
        ImportedValue(try n.g.cast(outputs[0], to: x.dtype)),
        ImportedValue(try n.g.reshape(outputs[1], to: statistics)),
        ImportedValue(try n.g.reshape(outputs[2], to: statistics)),
    ]
}

/// x/√(mean(x²) + ε)·scale over the axes from `axis` on.
func rmsNormalization(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    let axis = try x.axis(try n.int("axis", -1)), epsilon = max(try n.float("epsilon", 1e-5), .leastNormalMagnitude)
    let wide = try n.g.widened(x, .real)
    let scale = try rowParameter(n, 1, 1, Array(axis..<x.rank), like: wide)
    return try n.g.cast(try n.g.emit(RmsNorm(axes: x.rank - axis, epsilon: epsilon), [wide, scale])[0], to: x.dtype)
}

/// A parameter of rows over `axes`, of their own shape, which the operators want.
private func rowParameter(
    _ n: NodeContext, _ input: Int, _ otherwise: Double, _ axes: [Int], like x: Term
) throws(ApusError) -> Term {
    var row: [Int] = []
    for i in axes { row.append(try x.extent(i)) }
    let term = n.has(input) ? try n.g.cast(try n.term(input), to: x.dtype) : try n.g.scalar(otherwise, like: x)
    return try n.g.expand(term, to: [[Int]](repeating: row, count: n.g.samples.count))
}

/// x over its p-norm along the axis; 0 where that is 0.
private func lpNormalization(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), p = try n.int("p", 2)
    let axis = try x.axis(try n.int("axis", -1))
    guard p == 1 || p == 2 else { throw .unsupported("LpNormalization of p \(p), wanted 1 or 2") }
    let sum = try n.g.reduce(.sum, p == 1 ? try n.g.abs(x) : try n.g.square(x), [axis], keep: true)
    let norm = p == 1 ? sum : try n.g.sqrt(sum)
    let zero = try n.g.scalar(0, like: x)
    return try n.g.select(try n.g.equal(norm, zero), zero, try n.g.div(x, norm))
}

private func meanVarianceNormalization(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    var axes: [Int] = []
    for axis in try n.ints("axes") ?? [0, 2, 3] { axes.append(try x.axis(axis)) }
    let (mean, variance) = try n.g.moments(x, axes)
    let deviation = try n.g.add(try n.g.sqrt(variance), try n.g.scalar(1e-9, like: x))
    return try n.g.div(try n.g.sub(x, mean), deviation)
}

/// x/(bias + α/size·Σ x²)^β, the sum over `size` channels around each.
private func localResponseNormalization(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), size = try n.int("size")
    let channels = try x.extent(1)
    guard (1...1024).contains(size) else { throw .shape("size \(size), wanted 1 ... 1024") }
    var before = [Int](repeating: 0, count: x.rank), after = before
    before[1] = (size - 1) / 2
    after[1] = size - 1 - before[1]
    return try n.g.computing([x], in: .real) { terms throws(ApusError) in
        let x = terms[0]
        let squares = try n.g.pad(try n.g.square(x), before, after)
        var sum = try n.g.slice(squares, axis: 1, 0, channels)
        for shift in 1..<max(1, size) { sum = try n.g.add(sum, try n.g.slice(squares, axis: 1, shift, shift + channels)) }
        let alpha = Double(try n.float("alpha", 0.0001)) / Double(size)
        let base = try n.g.add(
            try n.g.mul(sum, try n.g.scalar(alpha, like: x)), try n.g.scalar(Double(try n.float("bias", 1)), like: x))
        return try n.g.div(x, try n.g.pow(base, try n.g.scalar(Double(try n.float("beta", 0.75)), like: x)))
    }
}

extension Emitter {
    /// Mean and variance over axes, which stay with extent 1.
    func moments(_ x: Term, _ axes: [Int]) throws(ApusError) -> (mean: Term, variance: Term) {
        let mean = try reduce(.mean, x, axes, keep: true)
        return (mean, try reduce(.mean, try square(try sub(x, mean)), axes, keep: true))
    }

    /// Over the last axes, with scale and bias of their shape; the result, means and 1/deviations.
    func layerNorm(
        _ x: Term, _ scale: Term, _ bias: Term, axes: Int = 1, epsilon: Float
    ) throws(ApusError) -> [Term] {
        try emit(LayerNorm(axes: axes, epsilon: max(epsilon, .leastNormalMagnitude)), [x, scale, bias])
    }

    /// (x − mean)/√(variance + ε)·scale + bias.
    func normalized(
        _ x: Term, _ mean: Term, _ variance: Term, epsilon: Float, _ scale: Term, _ bias: Term
    ) throws(ApusError) -> Term {
        let root = try sqrt(try add(variance, try scalar(Double(epsilon), like: x)))
        return try add(try mul(try div(try sub(x, mean), root), scale), bias)
    }
}
