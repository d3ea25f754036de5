import ApusGraph

let activationOperators: [OnnxOperator] = [
    OnnxOperator("Relu", unary: Emitter.relu),
    OnnxOperator("Sigmoid", unary: Emitter.sigmoid),
    OnnxOperator("Tanh", unary: Emitter.tanh),
    OnnxOperator("Softplus", unary: Emitter.softplus),
    OnnxOperator("HardSwish", unary: Emitter.hardSwish),
    OnnxOperator("Mish") { n throws(ApusError) -> Term in
        let x = try n.term(0)
        return try n.g.mul(x, try n.g.tanh(try n.g.softplus(x)))
    },
    OnnxOperator("Softsign") { n throws(ApusError) -> Term in
        let x = try n.term(0)
        return try n.g.div(x, try n.g.add(try n.g.abs(x), try n.g.scalar(1, like: x)))
    },
    OnnxOperator("LeakyRelu") { n throws(ApusError) -> Term in
        try n.g.leakyRelu(try n.term(0), alpha: try n.float("alpha", 0.01))
    },
    OnnxOperator("Elu") { n throws(ApusError) -> Term in try n.g.elu(try n.term(0), alpha: try n.float("alpha", 1)) },
    OnnxOperator("Gelu") { n throws(ApusError) -> Term in
        try n.g.gelu(try n.term(0), tanh: try n.string("approximate", "none") == "tanh")
    },
    OnnxOperator("Selu", selu),
    OnnxOperator("Celu", celu),
    OnnxOperator("Swish", swish),
    OnnxOperator("HardSigmoid", hardSigmoid),
    OnnxOperator("ThresholdedRelu", thresholdedRelu),
    OnnxOperator("Shrink", shrink),
    OnnxOperator("PRelu", prelu),
    OnnxOperator("Clip", clipByAttributes),
    OnnxOperator("Clip", since: 11, clipByInputs),
    OnnxOperator("Softmax") { n throws(ApusError) -> Term in try overRows(n, n.g.softmax) },
    OnnxOperator("Softmax", since: 13) { n throws(ApusError) -> Term in
        try n.g.softmax(try n.term(0), axis: try n.int("axis", -1))
    },
    OnnxOperator("LogSoftmax") { n throws(ApusError) -> Term in try overRows(n, n.g.logSoftmax) },
    OnnxOperator("LogSoftmax", since: 13) { n throws(ApusError) -> Term in
        try n.g.logSoftmax(try n.term(0), axis: try n.int("axis", -1))
    },
    OnnxOperator("Hardmax") { n throws(ApusError) -> Term in try overRows(n, n.g.hardmax) },
    OnnxOperator("Hardmax", since: 13) { n throws(ApusError) -> Term in
        try n.g.hardmax(try n.term(0), axis: try n.int("axis", -1))
    },
]

/// Up to version 12: over all axes from `axis` on together.
private func overRows(
    _ n: NodeContext, _ f: (Term, Int) throws(ApusError) -> Term
) throws(ApusError) -> Term {
    let x = try n.term(0)
    let axis = try n.int("axis", 1)
    let rows = axis == x.rank ? axis : try x.axis(axis)
    return try n.g.reshape(try f(try n.g.flattened(x, rows: rows), 1), to: x.shapes.map { $0.dimensions })
}

/// γ·(max(0, x) + min(0, α·(eˣ − 1))).
private func selu(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    let alpha = try n.float("alpha", 1.67326319217681884765625), gamma = try n.float("gamma", 1.05070102214813232421875)
    return try n.g.mul(try n.g.elu(x, alpha: alpha), try n.g.scalar(Double(gamma), like: x))
}

/// max(0, x) + min(0, α·(e^(x/α) − 1)) = α·elu(x/α).
private func celu(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), alpha = try n.g.scalar(Double(try n.float("alpha", 1)), like: x)
    return try n.g.mul(try n.g.elu(try n.g.div(x, alpha), alpha: 1), alpha)
}

/// x·sigmoid(α·x).
private func swish(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), alpha = try n.float("alpha", 1)
    if alpha == 1 { return try n.g.silu(x) }
    return try n.g.mul(x, try n.g.sigmoid(try n.g.mul(x, try n.g.scalar(Double(alpha), like: x))))
}

/// max(0, min(1, α·x + β)).
private func hardSigmoid(_ n: NodeContext) throws(ApusError) -> Term {
    try n.g.hardSigmoid(try n.term(0), alpha: try n.float("alpha", 0.2), beta: try n.float("beta", 0.5))
}

private func thresholdedRelu(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    let alpha = try n.g.scalar(Double(try n.float("alpha", 1)), like: x)
    return try n.g.select(try n.g.greater(x, alpha), x, try n.g.scalar(0, like: x))
}

/// x + bias below −λ, x − bias above λ, 0 between.
private func shrink(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    let bias = try n.g.scalar(Double(try n.float("bias", 0)), like: x)
    let limit = try n.g.scalar(Double(try n.float("lambd", 0.5)), like: x)
    let zero = try n.g.scalar(0, like: x)
    let upper = try n.g.select(try n.g.greater(x, limit), try n.g.sub(x, bias), zero)
    return try n.g.select(try n.g.less(x, try n.g.neg(limit)), try n.g.add(x, bias), upper)
}

/// x ≥ 0 ? x : slope·x.
private func prelu(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), slope = try n.term(1)
    return try n.g.select(try n.g.less(x, try n.g.scalar(0, like: x)), try n.g.mul(x, slope), x)
}

private func clipByAttributes(_ n: NodeContext) throws(ApusError) -> Term {
    try n.g.clip(
        try n.term(0), try n.float("min", -.greatestFiniteMagnitude), try n.float("max", .greatestFiniteMagnitude))
}

private func clipByInputs(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    guard n.has(1) || n.has(2) else { return [try n.imported(0)] }
    var x = try n.term(0)
    if x.dtype == .f32, !n.has(1) || n.isKnown(1), !n.has(2) || n.isKnown(2) {
        let lower = n.has(1) ? Float(try n.number(1)) : -.infinity, upper = n.has(2) ? Float(try n.number(2)) : .infinity
        return [ImportedValue(try n.g.clip(x, lower, upper))]
    }
    if n.has(1) { x = try n.g.maximum(x, try n.term(1)) }
    if n.has(2) { x = try n.g.minimum(x, try n.term(2)) }
    return [ImportedValue(x)]
}

extension Emitter {
    func hardSigmoid(_ x: Term, alpha: Float, beta: Float) throws(ApusError) -> Term {
        let line = try add(try mul(x, try scalar(Double(alpha), like: x)), try scalar(Double(beta), like: x))
        return try clip(line, 0, 1)
    }

    /// 1 at the first largest element along the axis, 0 elsewhere.
    func hardmax(_ x: Term, axis: Int) throws(ApusError) -> Term {
        let axis = try x.axis(axis)
        let count = try x.extent(axis)
        try requireTable(count)
        var shape = [Int](repeating: 1, count: x.rank)
        shape[axis] = count
        let places = constant(try Constant("", .i64, shape, (0..<count).map { Double($0) }))
        return try cast(try equal(places, try argMax(x, axis: axis, keep: true)), to: x.dtype)
    }
}
