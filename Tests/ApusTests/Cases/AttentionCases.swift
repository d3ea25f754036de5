import ApusGraph
import Foundation

private func attended(_ op: Attention, _ inputs: [TestTensor]) -> [TestTensor] {
    let q = inputs[0], k = inputs[1], v = inputs[2]
    let size = q.shape[2] / op.heads, valueSize = v.shape[2] / op.keyValueHeads, group = op.heads / op.keyValueHeads
    return [
        TestTensor.make(.f32, [q.shape[0], q.shape[1], op.heads * valueSize]) { at in
            let n = at[0], i = at[1], head = at[2] / valueSize, shared = head / group
            let seen = op.isCausal ? i + 1 + k.shape[1] - q.shape[1] : k.shape[1]
            let scores = (0..<seen).map { j in
                let dot = (0..<size).reduce(0.0) { $0 + q[[n, i, head * size + $1]] * k[[n, j, shared * size + $1]] }
                guard op.hasMask else { return Double(op.scale) * dot }
                let mask = inputs[3], places = zip([n, head, i, j], mask.shape).map { $1 == 1 ? 0 : $0 }
                return Double(op.scale) * dot + mask[places]
            }
            let greatest = scores.max() ?? 0, weights = scores.map { exp($0 - greatest) }
            let sum = (0..<seen).reduce(0.0) { $0 + weights[$1] * v[[n, $1, shared * valueSize + at[2] % valueSize]] }
            return sum / weights.reduce(0, +)
        }
    ]
}

/// dq, dk, dv by the formulas, each head, query and key for itself.
private func attentionGradient(_ op: Attention, _ inputs: [TestTensor]) -> [TestTensor] {
    let q = inputs[0], k = inputs[1], v = inputs[2], dy = inputs[inputs.count - 1], scale = Double(op.scale)
    let size = q.shape[2] / op.heads, valueSize = v.shape[2] / op.keyValueHeads, group = op.heads / op.keyValueHeads
    var gradients = [q, k, v].map { TestTensor.make(.f32, $0.shape) { _ in 0 } }
    for n in 0..<q.shape[0] {
        for head in 0..<op.heads {
            for i in 0..<q.shape[1] {
                let share = head / group
                let seen = op.isCausal ? i + 1 + k.shape[1] - q.shape[1] : k.shape[1]
                let scores = (0..<seen).map { j in
                    let dot = (0..<size).reduce(0.0) { $0 + q[[n, i, head * size + $1]] * k[[n, j, share * size + $1]] }
                    guard op.hasMask else { return scale * dot }
                    return scale * dot + inputs[3][zip([n, head, i, j], inputs[3].shape).map { $1 == 1 ? 0 : $0 }]
                }
                let greatest = scores.max() ?? 0, e = scores.map { exp($0 - greatest) }, sum = e.reduce(0, +)
                let p = e.map { $0 / sum }
                let c = (0..<seen).map { j in
                    (0..<valueSize).reduce(0.0) {
                        $0 + dy[[n, i, head * valueSize + $1]] * v[[n, j, share * valueSize + $1]]
                    }
                }
                let mean = zip(p, c).reduce(0) { $0 + $1.0 * $1.1 }
                for j in 0..<seen {
                    let d = scale * p[j] * (c[j] - mean)
                    for x in 0..<size {
                        gradients[0][[n, i, head * size + x]] += d * k[[n, j, share * size + x]]
                        gradients[1][[n, j, share * size + x]] += d * q[[n, i, head * size + x]]
                    }
                    for x in 0..<valueSize {
                        gradients[2][[n, j, share * valueSize + x]] += p[j] * dy[[n, i, head * valueSize + x]]
                    }
                }
            }
        }
    }
    return gradients
}

private func attention(
    _ name: String, _ op: Attention, batch: Int = 1, queries: Int, keys: Int, size: Int, valueSize: Int? = nil,
    mask: [Int] = [], masks: TestTensor? = nil
) -> OperatorCase {
    var inputs: [TestInput] = [
        .real([batch, queries, op.heads * size], -1...1),
        .real([batch, keys, op.keyValueHeads * size], -1...1),
        .real([batch, keys, op.keyValueHeads * (valueSize ?? size)], -1...1),
    ]
    if op.hasMask { inputs.append(masks.map { .values($0) } ?? .real(mask, -4...0)) }
    // Central differences take two runs an element: of the small cases only. Masks that absorb scores leave none.
    let isSmall = masks == nil && batch * queries * keys * op.heads * size <= 20_000
    return OperatorCase("Attention \(name)", op, inputs, gradients: isSmall ? [0, 1, 2] : [], tolerance: 1e-5) {
        attended(op, $0)
    }
}

private func gradient(_ test: OperatorCase) -> OperatorCase {
    let op = test.op as! Attention
    var test = test
    guard case .real(let q, _, _) = test.inputs[0], case .real(let v, _, _) = test.inputs[2] else { return test }
    test.inputs.append(.real([q[0], q[1], v[2] / op.keyValueHeads * op.heads], -1...1))
    return OperatorCase(
        "AttentionGradient" + test.name.dropFirst("Attention".count), AttentionGradient(op), test.inputs, tolerance: 2e-5
    ) { attentionGradient(op, $0) }
}

let attentionCases: [OperatorCase] = forwardCases + forwardCases.map { gradient($0) }

private let forwardCases: [OperatorCase] = [
    attention("of one head", Attention(heads: 1, scale: 0.5), queries: 3, keys: 5, size: 4),
    attention("of several heads", Attention(heads: 4, scale: 0.25), batch: 2, queries: 17, keys: 17, size: 8),
    attention("of many queries", Attention(heads: 2, scale: 0.3), queries: 130, keys: 40, size: 16),
    attention("of many keys", Attention(heads: 1, scale: 0.2), queries: 14, keys: 1500, size: 8),
    attention("of another value size", Attention(heads: 3, scale: 1), queries: 6, keys: 33, size: 5, valueSize: 19),
    attention("of grouped queries", Attention(heads: 6, keyValueHeads: 2, scale: 0.4), batch: 2, queries: 9, keys: 21, size: 8),
    attention("causal", Attention(heads: 2, scale: 0.5, isCausal: true), batch: 2, queries: 37, keys: 37, size: 8),
    attention(
        "causal after earlier keys", Attention(heads: 2, scale: 0.5, isCausal: true), queries: 5, keys: 23, size: 8),
    attention(
        "masked by keys", Attention(heads: 2, scale: 0.5, hasMask: true), batch: 3, queries: 7, keys: 18, size: 8,
        mask: [3, 1, 1, 18]),
    attention(
        "masked in full", Attention(heads: 2, keyValueHeads: 1, scale: 0.5, isCausal: true, hasMask: true), batch: 2,
        queries: 20, keys: 20, size: 4, mask: [2, 2, 20, 20]),
    attention(
        "masked alike", Attention(heads: 2, scale: 0.5, hasMask: true), batch: 2, queries: 4, keys: 3, size: 4,
        mask: [1, 1, 4, 3]),
    attention(
        "of padding alone", Attention(heads: 2, scale: 0.5, hasMask: true), batch: 2, queries: 5, keys: 18, size: 8,
        masks: TestTensor.make(.f32, [2, 1, 1, 18]) { $0[0] == 0 || $0[3] > 10 ? -Double(Float.greatestFiniteMagnitude) : 0 }),
    attention("of one query", Attention(heads: 2, scale: 0.5, isCausal: true), queries: 1, keys: 31, size: 16),
    attention("of no query", Attention(heads: 2, scale: 0.5), queries: 0, keys: 3, size: 4),
]
