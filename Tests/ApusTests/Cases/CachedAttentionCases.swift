import ApusGraph
import Foundation

/// Rings as matrices: a slot's key and value by head.
private struct Rings {
    var keys: TestTensor
    var values: TestTensor
    /// Of the codes of keys and of values, where they are codes.
    var scales: [TestTensor]
    var capacity: Int { values.shape[3] }

    mutating func enter(_ slot: Int, _ n: Int, _ g: Int, key: [Double], value: [Double]) {
        for (d, x) in kept(key, slot, n, g, 0).enumerated() { keys[[n, g, slot / 16, d, slot % 16]] = x }
        for (e, x) in kept(value, slot, n, g, 1).enumerated() { values[[n, g, e / 16, slot, e % 16]] = x }
    }

    /// What is kept of a row; a code's scale is found in f32, so that no code is another.
    private mutating func kept(_ row: [Double], _ slot: Int, _ n: Int, _ g: Int, _ kind: Int) -> [Double] {
        guard !scales.isEmpty else { return row.map { keys.dtype == .f16 ? Double(Float16($0)) : $0 } }
        let scale = row.map { Float(abs($0)) }.max()! / 127
        scales[kind][[n, g, slot]] = Double(scale)
        return row.map { scale > 0 ? Double((Float($0) / scale).rounded(.toNearestOrEven)) : 0 }
    }

    private func scale(_ slot: Int, _ n: Int, _ g: Int, _ kind: Int) -> Double {
        scales.isEmpty ? 1 : scales[kind][[n, g, slot]]
    }

    func key(_ slot: Int, _ n: Int, _ g: Int) -> [Double] {
        (0..<keys.shape[3]).map { keys[[n, g, slot / 16, $0, slot % 16]] * scale(slot, n, g, 0) }
    }

    func value(_ slot: Int, _ n: Int, _ g: Int, _ e: Int) -> Double {
        values[[n, g, e / 16, slot, e % 16]] * scale(slot, n, g, 1)
    }
}

private func streamed(_ op: CachedAttention, _ inputs: [TestTensor]) -> [TestTensor] {
    let q = inputs[0], k = inputs[1], v = inputs[2], position = max(0, Int(inputs[5].values[0]))
    let size = q.shape[2] / op.heads, valueSize = v.shape[2] / op.keyValueHeads, group = op.heads / op.keyValueHeads
    var rings = Rings(keys: inputs[3], values: inputs[4], scales: Array(inputs.dropFirst(6)))
    var y = TestTensor.make(.f32, [q.shape[0], q.shape[1], op.heads * valueSize]) { _ in 0 }
    for n in 0..<q.shape[0] {
        for t in 0..<q.shape[1] {
            for g in 0..<op.keyValueHeads {
                rings.enter(
                    (position + t) % rings.capacity, n, g, key: (0..<size).map { k[[n, t, g * size + $0]] },
                    value: (0..<valueSize).map { v[[n, t, g * valueSize + $0]] })
            }
            for head in 0..<op.heads {
                let seen = min(position + t + 1, rings.capacity)
                let scores = (0..<seen).map { slot in
                    Double(op.scale)
                        * zip(rings.key(slot, n, head / group), 0..<size).reduce(0.0) { $0 + $1.0 * q[[n, t, head * size + $1.1]] }
                }
                let greatest = scores.max()!, weights = scores.map { exp($0 - greatest) }, sum = weights.reduce(0, +)
                for e in 0..<valueSize {
                    y[[n, t, head * valueSize + e]] =
                        (0..<seen).reduce(0.0) { $0 + weights[$1] * rings.value($1, n, head / group, e) } / sum
                }
            }
        }
    }
    return [y, rings.keys, rings.values] + rings.scales
}

private func cached(
    _ name: String, _ op: CachedAttention, batch: Int = 1, elements: Int = 1, capacity: Int, position: Int, size: Int,
    valueSize: Int? = nil
) -> OperatorCase {
    let valueSize = valueSize ?? size, heads = op.keyValueHeads
    let keys = CachedAttention.keysShape(batch: batch, heads: heads, size: size, capacity: capacity)
    let values = CachedAttention.valuesShape(batch: batch, heads: heads, size: valueSize, capacity: capacity)
    let scales = CachedAttention.scalesShape(batch: batch, heads: heads, capacity: capacity)
    var inputs: [TestInput] = [
        .real([batch, elements, op.heads * size], -1...1), .real([batch, elements, heads * size], -1...1),
        .real([batch, elements, heads * valueSize], -1...1),
    ]
    for ring in [keys, values] { inputs.append(op.hasScales ? .integers(ring, -127...127, .i8) : .real(ring, -1...1)) }
    inputs.append(.values(TestTensor.make(.i64, []) { _ in Double(position) }))
    if op.hasScales { inputs += [.real(scales, 0.001...0.01), .real(scales, 0.001...0.01)] }
    return OperatorCase("CachedAttention \(name)", op, inputs) { streamed(op, $0) }
}

let cachedAttentionCases: [OperatorCase] = [
    cached("of the first element", CachedAttention(heads: 2, scale: 0.5), capacity: 20, position: 0, size: 4),
    cached("of one head", CachedAttention(heads: 1, scale: 0.5), capacity: 33, position: 17, size: 8),
    cached("of several elements", CachedAttention(heads: 3, scale: 0.3), batch: 2, elements: 7, capacity: 40, position: 5, size: 8),
    cached(
        "of many elements", CachedAttention(heads: 2, scale: 0.2), elements: 120, capacity: 500, position: 100, size: 16),
    cached(
        "of grouped queries", CachedAttention(heads: 6, keyValueHeads: 2, scale: 0.4), elements: 3, capacity: 19, position: 9,
        size: 8),
    cached(
        "of another value size", CachedAttention(heads: 2, scale: 1), elements: 2, capacity: 16, position: 3, size: 5,
        valueSize: 19),
    cached("whose ring is full", CachedAttention(heads: 2, scale: 0.5), capacity: 11, position: 1000, size: 4),
    cached("whose ring becomes full", CachedAttention(heads: 2, scale: 0.5), elements: 6, capacity: 9, position: 6, size: 4),
    cached("of a position below 0", CachedAttention(heads: 1, scale: 0.5), elements: 2, capacity: 4, position: -3, size: 4),
    cached("of codes, the first", CachedAttention(heads: 2, scale: 0.5, hasScales: true), capacity: 20, position: 0, size: 4),
    cached(
        "of codes, several", CachedAttention(heads: 6, keyValueHeads: 2, scale: 0.4, hasScales: true), batch: 2, elements: 7,
        capacity: 43, position: 30, size: 8, valueSize: 19),
    cached(
        "of codes, many", CachedAttention(heads: 2, scale: 0.2, hasScales: true), elements: 60, capacity: 300, position: 100,
        size: 16),
    cached(
        "of codes whose ring becomes full", CachedAttention(heads: 2, scale: 0.5, hasScales: true), elements: 6, capacity: 9,
        position: 6, size: 4),
]
