import ApusGraph

/// What ONNX Runtime's optimizers write in the place of several nodes: its contributed operators, by its ContribOperators.md.
let contributedOperators: [OnnxOperator] = [
    OnnxOperator("BiasGelu", domain: runtime) { n throws(ApusError) -> Term in
        try n.g.gelu(try n.g.add(try n.term(0), try n.term(1)), tanh: false)
    },
    OnnxOperator("FastGelu", domain: runtime) { n throws(ApusError) -> Term in
        try n.g.gelu(try n.sum(0, 1), tanh: true)
    },
    OnnxOperator("QuickGelu", domain: runtime) { n throws(ApusError) -> Term in
        try n.call("Swish", [try n.term(0)], ["alpha": .float(try n.float("alpha", 1.702))])[0]
    },
    OnnxOperator("FusedMatMul", domain: runtime, fusedMatMul),
    OnnxOperator("TransposeMatMul", domain: runtime, fusedMatMul),
    OnnxOperator("FusedMatMulActivation", domain: runtime) { n throws(ApusError) -> Term in try activated(n, try fusedMatMul(n)) },
    OnnxOperator("FusedGemm", domain: runtime) { n throws(ApusError) -> Term in
        let y = try n.call("Gemm", try n.terms(), n.attributes(["alpha", "beta", "transA", "transB"]))[0]
        return try activated(n, y)
    },
    OnnxOperator("FusedConv", domain: runtime, fusedConv),
    OnnxOperator("SimplifiedLayerNormalization", rmsNormalization),
    OnnxOperator("SkipLayerNormalization", domain: runtime) { n throws(ApusError) in
        try skipNormalization(n, "LayerNormalization", parameters: 2)
    },
    OnnxOperator("SkipSimplifiedLayerNormalization", domain: runtime) { n throws(ApusError) in
        try skipNormalization(n, "RMSNormalization", parameters: 1)
    },
    OnnxOperator("EmbedLayerNormalization", domain: runtime, embedLayerNormalization),
    OnnxOperator("GatherBlockQuantized", domain: runtime, gatherBlockQuantized),
]

/// The domain of ONNX Runtime's operators.
private let runtime = "com.microsoft"

extension NodeContext {
    /// The sum of those inputs that are there, the first of which must be.
    fileprivate func sum(_ inputs: Int...) throws(ApusError) -> Term {
        var sum = try term(inputs[0])
        for input in inputs.dropFirst() where has(input) { sum = try g.add(sum, try term(input)) }
        return sum
    }

    fileprivate func attributes(_ names: Set<String>) -> [String: OnnxAttribute] {
        node.attributes.filter { names.contains($0.key) }
    }
}

/// α·A'·B', where A' may be A with its first axis behind the other axes of the batch and, after that, as matrices transposed.
private func fusedMatMul(_ n: NodeContext) throws(ApusError) -> Term {
    func operand(_ input: Int, _ name: String) throws(ApusError) -> Term {
        let x = try n.term(input)
        guard x.rank >= 2 else { return x }
        var order = Array(0..<x.rank)
        if try n.flag("transBatch\(name)") { order.insert(order.removeFirst(), at: x.rank - 2) }
        if try n.flag("trans\(name)") { order.swapAt(x.rank - 2, x.rank - 1) }
        return try n.g.transpose(x, order)
    }
    let y = try n.g.product(try operand(0, "A"), try operand(1, "B")), alpha = try n.float("alpha", 1)
    return alpha == 1 ? y : try n.g.mul(y, try n.g.scalar(Double(alpha), like: y))
}

/// Conv(X, W, B) + Z, then the activation.
private func fusedConv(_ n: NodeContext) throws(ApusError) -> Term {
    let window: Set = ["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"]
    let inputs = [try n.term(0), try n.term(1), n.has(2) ? try n.term(2) : nil]
    var y = try n.call("Conv", inputs, n.attributes(window))[0]
    if n.has(3) { y = try n.g.add(y, try n.term(3)) }
    return try activated(n, y)
}

/// The function that a node names, of `activation_params` or of `activation_alpha` and `activation_beta`.
private func activated(_ n: NodeContext, _ x: Term) throws(ApusError) -> Term {
    let name = try n.string("activation", "")
    var numbers = try n.floats("activation_params") ?? []
    for one in ["activation_alpha", "activation_beta"] where n.hasAttribute(one) { numbers.append(try n.float(one)) }
    switch (name, numbers.count) {
    case ("", _): return x
    case ("Relu", _), ("Tanh", _), ("Sigmoid", _), ("HardSwish", _), ("Softplus", _): return try n.call(name, [x])[0]
    case ("Clip", 2): return try n.g.clip(x, numbers[0], numbers[1])
    case ("LeakyRelu", 0...), ("Elu", 0...), ("ThresholdedRelu", 0...), ("HardSigmoid", 0...):
        let names = zip(["alpha", "beta"], numbers).map { ($0, OnnxAttribute.float($1)) }
        return try n.call(name, [x], Dictionary(uniqueKeysWithValues: names))[0]
    default: throw .unsupported("activation '\(name)' of \(numbers.count) numbers")
    }
}

/// The norm of input + skip [+ bias], which stands behind its `parameters`; the sum is the fourth output.
private func skipNormalization(_ n: NodeContext, _ norm: String, parameters: Int) throws(ApusError) -> [ImportedValue] {
    let sum = try n.sum(0, 1, 2 + parameters)
    var inputs: [Term?] = [sum]
    for i in 2..<2 + parameters { inputs.append(n.has(i) ? try n.term(i) : nil) }
    let outputs = try n.call(norm, inputs, ["axis": .int(-1), "epsilon": .float(try n.float("epsilon", 1e-12))])
    guard n.node.outputs.dropFirst().prefix(2).allSatisfy({ $0.isEmpty }) else {
        throw .unsupported("statistics of \(n.node.op), which only training reads")
    }
    return [outputs[0], outputs[0], outputs[0], sum].map { ImportedValue($0) }
}

/// The layer norm of the sum of rows of a table of words, one of positions and one of segments; the number of words, 0
/// without a mask; the sum.
private func embedLayerNormalization(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let ids = try n.term(0)
    guard ids.rank == 2 else { throw .shape("indices \(ids.shape), wanted [batch, length]") }
    let positions = n.has(8) ? try n.term(8) : try n.g.range(ids.extents(1))
    var sum = try n.g.add(try n.g.gather(try n.term(2), ids, axis: 0), try n.g.gather(try n.term(3), positions, axis: 0))
    if n.has(1) && n.has(4) { sum = try n.g.add(sum, try n.g.gather(try n.term(4), try n.term(1), axis: 0)) }
    let epsilon = OnnxAttribute.float(try n.float("epsilon", 1e-12))
    let y = try n.call("LayerNormalization", [sum, try n.term(5), try n.term(6)], ["epsilon": epsilon])[0]
    let words = n.has(7)
        ? try n.g.reduce(.sum, try n.term(7), [1], keep: false)
        : try n.g.expand(try n.g.scalar(0, .i32), to: ids.extents(0).map { [$0] })
    return [y, words, sum].map { ImportedValue($0) }
}

/// Gather from a table of codes of 4 or 8 bits in blocks, two of 4 bits in a byte if they are of u8.
private func gatherBlockQuantized(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let bits = try n.int("bits", 4), type = try n.dtype(0), isPacked = type == .u8 && bits == 4
    guard bits == 4 || bits == 8, isPacked || type.bitWidth == bits, try n.int("gather_axis", 0) == 0 else {
        throw .unsupported("GatherBlockQuantized of \(type.name) as \(bits) bits along axis \(try n.int("gather_axis", 0))")
    }
    /// As signed codes, in bytes `columns` to a row.
    func codes(_ input: Int, columns: Int?) throws(ApusError) -> ImportedValue {
        let constant = try n.known(input), middle = type == .u8 || type == .u4 ? 1 << (bits - 1) : 0
        var shape = constant.type.shape.dimensions, values: [Int]
        if isPacked, let last = shape.popLast() {
            shape.append(columns ?? 2 * last)
            let rows = Shape(shape).product(0..<shape.count - 1)
            values = try constant.unpacked(bits, rows: rows, columns: shape.last!).map { Int($0) }
        } else {
            values = try constant.integers()
        }
        return ImportedValue(Constant(codes: values.map { $0 - middle }, bits == 4 ? .i4 : .i8, shape, constant.name))
    }
    let scales = try n.imported(2), blocks = scales.shape
    var parts: [ImportedValue?] = [try codes(0, columns: nil), scales]
    if n.has(3) {
        parts.append(try codes(3, columns: blocks.rank > 0 ? blocks.last : nil))
    } else if type == .u4 {
        // Zero points that are left out are 0, and the middle for bytes alone.
        let zeros = [Int](repeating: -8, count: blocks.count)
        parts.append(ImportedValue(Constant(codes: zeros, .i4, blocks.dimensions, "zeros")))
    }
    let axes = ["axis": OnnxAttribute.int(try n.int("quantize_axis", 1)), "block_size": .int(try n.int("block_size", 128))]
    let table = try n.call("DequantizeLinear", values: parts, axes)
    return try n.call("Gather", values: [table[0], try n.imported(1)])
}
