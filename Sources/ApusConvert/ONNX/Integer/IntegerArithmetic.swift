import ApusGraph
import Foundation

// Elementwise sums and products, pools, softmax and concatenation of codes: as real numbers, and pending as codes.

@Sendable func integerSum(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    if let values = try dynamicSum(n) { return values }
    for (place, other) in [(0, 1), (1, 0)] {
        guard var pending = try n.imported(place).pending, pending.activation == .none else { continue }
        let addend = try n.imported(other)
        if pending.takesBias, pending.bias == nil, pending.residual == nil, addend.known?.count == 1,
            addend.shape.count == (try n.imported(place)).shape.last, addend.shape.last == addend.shape.count
        {
            pending.bias = addend
            return [ImportedValue(try n.real(), .pending(pending))]
        }
        if pending.takesResidual, pending.residual == nil, let codes = addend.linearCodes {
            pending.residual = codes
            return [ImportedValue(try n.real(), .pending(pending))]
        }
    }
    return try elementwise(n) { scale, bounds in QuantizedAdd(output: scale, bounds: bounds) }
}

@Sendable func integerMultiplication(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    if let values = try dynamicScaling(n) { return values }
    return try elementwise(n) { scale, bounds in QuantizedMul(output: scale, bounds: bounds) }
}

/// a − b: b's codes are turned over, −s·(q − z) = s·((−1 − q) − (−1 − z)).
@Sendable func integerDifference(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    if let values = try integerFunction(n) { return values }
    guard let a = try n.codes(0), let b = try n.codes(1) else { return nil }
    let negative = CodeScale(scale: b.scale.scale, zeroPoint: -1 - b.scale.zeroPoint)
    let table = (-128...127).map { negative.scale * Float(-1 - $0 - Int(negative.zeroPoint)) }
    let turned = try n.g.lookup(b.term, table, to: negative)
    return try pendingSum(n, a.term, turned) { scale, bounds in QuantizedAdd(output: scale, bounds: bounds) }
}

private func elementwise(
    _ n: NodeContext, _ op: @escaping (CodeScale, CodeBounds) -> Operator
) throws(ApusError) -> [ImportedValue]? {
    if let values = try integerFunction(n) { return values }
    guard n.inputs.count == 2, n.inputs.contains(where: { $0?.linearCodes != nil }), let a = try n.codes(0),
        let b = try n.codes(1)
    else { return nil }
    return try pendingSum(n, a.term, b.term, op)
}

private func pendingSum(
    _ n: NodeContext, _ a: Term, _ b: Term, _ op: @escaping (CodeScale, CodeBounds) -> Operator
) throws(ApusError) -> [ImportedValue] {
    let g = n.g
    return [
        ImportedValue(
            try n.real(),
            .pending(
                PendingCodes(takesActivation: true) { scale, pending throws(ApusError) in
                    try g(op(scale, CodeBounds(pending.activation, scale)), a, b)
                }))
    ]
}

/// Parts in units of the result's scale.
@Sendable func integerConcatenation(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    if let first = n.inputs.first, case .codes(let head)? = first?.content {
        var terms: [ImportedValue] = []
        for input in n.inputs {
            guard case .codes(let codes)? = input?.content, codes.scale == head.scale, codes.isUnsigned == head.isUnsigned
            else { return nil }
            terms.append(ImportedValue(codes.term))
        }
        return [ImportedValue(Codes(term: try n.with(terms).real(), isUnsigned: head.isUnsigned))]
    }
    guard n.inputs.contains(where: { $0?.linearCodes != nil }) else { return nil }
    var parts: [Codes] = []
    for place in n.inputs.indices {
        guard let codes = try n.codes(place) else { return nil }
        parts.append(codes)
    }
    let node = n.detached
    return [
        ImportedValue(
            try n.real(),
            .pending(
                PendingCodes { scale, _ throws(ApusError) in
                    var terms: [ImportedValue] = []
                    for part in parts { terms.append(ImportedValue(try node.g.rescaled(part, to: scale))) }
                    return try node.with(terms).real()
                }))
    ]
}

// MARK: Pools

@Sendable func integerAveragePool(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    guard let x = try n.imported(0).linearCodes else { return nil }
    let window = try poolWindow(n, x.term), countsPadding = try n.flag("count_include_pad")
    guard window.fitsPooling, !countsPadding || window.after == window.declaredAfter else { return nil }
    let g = n.g
    return [
        ImportedValue(
            try n.real(),
            .pending(
                PendingCodes { scale, _ throws(ApusError) in
                    try g.pooling(x.term, window) {
                        QuantizedAvgPool(kernel: $0, strides: $1, padding: $2, countsPadding: countsPadding, output: scale)
                    }
                }))
    ]
}

/// Of [N, C, H, W]: GlobalAveragePool, or ReduceMean over its last two axes.
@Sendable func integerGlobalAveragePool(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    guard let x = try n.imported(0).linearCodes, x.term.rank == 4 else { return nil }
    var keeps = true
    if n.node.op == "ReduceMean" {
        let axes = n.version < 18 ? try n.ints("axes") ?? [] : n.isKnown(1) ? try n.integers(1) : []
        guard Set(axes.map { ($0 + 4) % 4 }) == [2, 3] else { return nil }
        keeps = try n.flag("keepdims", true)
    }
    let g = n.g, keepsAxes = keeps
    return [
        ImportedValue(
            try n.real(),
            .pending(
                PendingCodes { scale, _ throws(ApusError) in
                    let pooled = try g.channelsFirst(
                        try g(QuantizedAvgPool(globalOutput: scale), try g.channelsLast(x.term)))
                    return keepsAxes ? pooled : try g.squeeze(pooled, [2, 3])
                }))
    ]
}

// MARK: Softmax

/// rne(2¹⁶ · exp(−s · d)), the table that QuantizedSoftmax reads for codes of scale s.
func exponentials(_ scale: CodeScale) -> [Int32] {
    (0..<256).map { Int32((0x1p16 * exp(-Double(scale.scale) * Double($0))).rounded(.toNearestOrEven)) }
}

/// Over the last axis, to the scale that its codes have.
@Sendable func integerSoftmax(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    guard let x = try n.imported(0).linearCodes,
        try x.term.axis(try n.int("axis", n.version < 13 ? 1 : -1)) == x.term.rank - 1
    else { return nil }
    let g = n.g, table = exponentials(x.scale)
    return [
        ImportedValue(
            try n.real(),
            .pending(
                PendingCodes { scale, _ throws(ApusError) in
                    guard scale == QuantizedSoftmax.output else {
                        throw .unsupported("softmax of scale \(scale.scale), wanted 1/256")
                    }
                    return try g(
                        QuantizedSoftmax(), x.term, g.constant(Constant("exponentials", integers32: table)))
                }))
    ]
}
