import ApusGraph

let attentionExports: [OnnxExportRule] = [OnnxExportRule(Attention.entry, exportAttention)]

/// As its parts, which every runtime has: softmax(scale·Q·Kᵀ + mask)·V in heads.
@Sendable private func exportAttention(_ n: NodeExport, _ op: Attention) throws(ApusError) -> [ExportedValue] {
    func heads(_ input: Int, _ count: Int, transposed: Bool = false) throws(ApusError) -> String {
        let size = n.type(input).shape[2] / count
        let parts = n("Reshape", try n.input(input), n.integers([0, 0, count, size]))
        let order = transposed ? [0, 2, 3, 1] : [0, 2, 1, 3]
        let x = n.emit("Transpose", [parts], ["perm": .ints(order)])[0]
        if count == op.heads { return x }
        let shared = n.integers((0..<op.heads).map { $0 * count / op.heads })
        return n.emit("Gather", [x, shared], ["axis": .int(1)])[0]
    }
    let q = try heads(0, op.heads), k = try heads(1, op.keyValueHeads, transposed: true)
    var scores = n("Mul", n("MatMul", q, k), try n.tensor([Double(op.scale)], .f32, []))
    if op.hasMask { scores = n("Add", scores, try n.input(3)) }
    if op.isCausal {
        guard let queries = n.extent(0, 1), let keys = n.extent(1, 1) else {
            throw .unsupported("causal attention over a symbolic length, wanted a fixed one")
        }
        let hidden = (0..<queries * keys).map { $0 % keys <= $0 / keys + keys - queries ? 0 : -Double.infinity }
        scores = n("Add", scores, try n.tensor(hidden, .f32, [queries, keys]))
    }
    let weights = n.emit("Softmax", [scores], ["axis": .int(-1)])[0]
    let y = n.emit("Transpose", [n("MatMul", weights, try heads(2, op.keyValueHeads))], ["perm": .ints([0, 2, 1, 3])])[0]
    let width = n.type(2).shape[2] / op.keyValueHeads * op.heads
    return n.plain(n("Reshape", y, n.integers([0, 0, width])))
}
