import ApusGraph

let linearAttentionOperators: [OnnxOperator] = [
    OnnxOperator("LinearAttention", linearAttention),
    OnnxOperator("CausalConvWithState", causalConvolution),
]

/// For each step t: S ← e^gₜ·S, v ← βₜ·(vₜ − Sᵀ·kₜ), S ← S + kₜ·vᵀ, oₜ = scale·Sᵀ·qₜ; decay and correction as the rule says.
private func linearAttention(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let g = n.g, heads = try n.int("kv_num_heads"), queryHeads = try n.int("q_num_heads")
    let rule = try n.string("update_rule", "gated_delta")
    guard heads >= 1, queryHeads >= 1, queryHeads % heads == 0 else { throw .shape("\(queryHeads) heads over \(heads)") }
    /// [batch, heads, length, size] of f32.
    func split(_ input: Int, _ count: Int) throws(ApusError) -> Term {
        let x = try g.cast(try n.term(input), to: .f32)
        guard x.rank == 3, count >= 1 else { throw .shape("input \(input) \(x.shape) in \(count) heads, wanted rank 3") }
        return try g.transpose(try g.reshape(x, to: x.shapes.map { [$0[0], $0[1], count, $0[2] / count] }), [0, 2, 1, 3])
    }
    let dtype = try n.dtype(0)
    let q = try split(0, queryHeads), k = try split(1, heads), v = try split(2, heads)
    let length = try k.extent(2), keySize = try k.extent(3), valueSize = try v.extent(3)
    let decays = rule.contains("gated"), corrects = rule.contains("delta")
    guard length <= 1024 else { throw .unsupported("a sequence of \(length), wanted at most 1024") }
    let decay: Term? = decays ? try split(4, heads) : nil
    let beta: Term? = corrects ? try split(5, try n.term(5).extent(2)) : nil
    var state: Term
    if n.has(3) {
        state = try g.cast(try n.term(3), to: .f32)
    } else {
        state = try g.expand(try g.scalar(0, .f32), to: k.shapes.map { [$0[0], heads, keySize, valueSize] })
    }
    let given = n.hasAttribute("scale") ? Double(try n.float("scale")) : 0
    let scale = try g.scalar(given == 0 ? 1 / Double(keySize).squareRoot() : given, .f32)
    var outputs: [Term] = []
    for time in 0..<length {
        /// [batch, heads, 1, size].
        func at(_ x: Term) throws(ApusError) -> Term { try g.slice(x, axis: 2, time, time + 1) }
        let key = try at(k)
        let column = try g.transpose(key, [0, 1, 3, 2])
        var value = try at(v)
        if let decay { state = try g.mul(state, try g.transpose(try g.exp(try at(decay)), [0, 1, 3, 2])) }
        if let beta { value = try g.mul(try at(beta), try g.sub(value, try g.matMul(key, state))) }
        state = try g.add(state, try g.mul(column, value))
        var read = state
        if queryHeads > heads {
            let wide = try g.unsqueeze(state, [2])
            let tiled = try g.expand(wide, to: wide.shapes.map { $0.replacing(2, with: queryHeads / heads).dimensions })
            read = try g.reshape(tiled, to: state.shapes.map { $0.replacing(1, with: queryHeads).dimensions })
        }
        outputs.append(try g.mul(scale, try g.matMul(try at(q), read)))
    }
    let moved = try g.transpose(try g.concat(outputs, axis: 2), [0, 2, 1, 3])
    let y = try g.reshape(moved, to: moved.shapes.map { [$0[0], $0[1], $0[2] * $0[3]] })
    return [
        ImportedValue(try g.cast(y, to: dtype)),
        ImportedValue(try g.cast(state, to: n.has(3) ? try n.dtype(3) : dtype)),
    ]
}

/// A depthwise convolution over what came before each element, and the last elements for the next call.
private func causalConvolution(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let g = n.g, x = try n.term(0), w = try n.term(1)
    guard x.rank == 3, w.rank == 3 else { throw .shape("x \(x.shape) and W \(w.shape), wanted rank 3") }
    let channels = try x.extent(1), length = try x.extent(2), past = try w.extent(2) - 1
    guard past >= 0 else { throw .shape("W \(w.shape), wanted one element or more along axis 2") }
    var padded = x
    if n.has(3) {
        if past > 0 { padded = try g.concat([try n.term(3), x], axis: 2) }
    } else {
        padded = try g.pad(x, [0, 0, past], [0, 0, 0])
    }
    var sum: Term?
    for tap in 0...past {
        let weight = try g.reshape(try g.slice(w, axis: 2, tap, tap + 1), [1, channels, 1])
        let part = try g.mul(try g.cast(try g.slice(padded, axis: 2, tap, tap + length), to: .f32), try g.cast(weight, to: .f32))
        sum = try sum.map { s throws(ApusError) in try g.add(s, part) } ?? part
    }
    var y = sum!
    if n.has(2) { y = try g.add(y, try g.cast(try g.reshape(try n.term(2), [1, channels, 1]), to: .f32)) }
    switch try n.string("activation", "none") {
    case "none": break
    case "silu", "swish": y = try g.silu(try g.cast(try g.cast(y, to: x.dtype), to: .f32))
    case let activation: throw .unsupported("activation '\(activation)'")
    }
    let state = try g.slice(padded, axis: 2, length, length + past)
    return [ImportedValue(try g.cast(y, to: x.dtype)), ImportedValue(state)]
}
