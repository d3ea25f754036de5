import ApusGraph

let poolExports: [OnnxExportRule] = [
    OnnxExportRule(MaxPool.entry) { (n, op: MaxPool) throws(ApusError) in try exportPool("MaxPool", n, op, [:]) },
    OnnxExportRule(AvgPool.entry) { (n, op: AvgPool) throws(ApusError) in
        try exportPool("AveragePool", n, op, ["count_include_pad": .int(op.countsPadding ? 1 : 0)])
    },
    OnnxExportRule("GlobalMaxPool") { n throws(ApusError) in try exportGlobalPool("GlobalMaxPool", "ReduceMax", n) },
    OnnxExportRule("GlobalAvgPool") { n throws(ApusError) in
        try exportGlobalPool("GlobalAveragePool", "ReduceMean", n)
    },
]

private func exportPool(
    _ onnx: String, _ n: NodeExport, _ op: Pooling, _ further: [String: OnnxAttribute]
) throws(ApusError) -> [ExportedValue] {
    let order = AxisOrder.channelsFirst(4)
    let attributes = n.poolAttributes(op).merging(further) { $1 }
    return [ExportedValue(n(onnx, try n.input(0, order), attributes: attributes), order)]
}

extension NodeExport {
    /// How a pool's windows lie.
    func poolAttributes(_ op: Pooling) -> [String: OnnxAttribute] {
        var attributes = windowAttributes(kernel: op.kernel, op.strides, 1, op.padding, overAxesOf: 0)
        attributes["kernel_shape"] = .ints([op.kernel.height, op.kernel.width])
        attributes["strides"] = .ints([op.strides.height, op.strides.width])
        return attributes
    }
}

/// [N, …, C] → [N, C]: a global pool where channels come first already, else a reduction, which needs no transpose.
private func exportGlobalPool(
    _ pool: String, _ reduction: String, _ n: NodeExport
) throws(ApusError) -> [ExportedValue] {
    let order = n.order(0), rank = n.rank(0)
    let x = try n.input(0, order)
    if order == .channelsFirst(rank) { return n.plain(n("Flatten", n(pool, x), attributes: ["axis": .int(1)])) }
    let axes = Array(1..<rank - 1)
    let y = n(reduction, x, n.integers(axes.map { order.place(of: $0) }.sorted()), attributes: ["keepdims": .int(0)])
    return [ExportedValue(y, order.removing(axes))]
}
