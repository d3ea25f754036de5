import ApusGraph

let normalizationExports: [OnnxExportRule] = [
    OnnxExportRule(BatchNorm.entry) { (n, op: BatchNorm) throws(ApusError) in
        let order = AxisOrder.channelsFirst(n.rank(0))
        var inputs = [try n.input(0, order)]
        for i in 1..<5 { inputs.append(try n.input(i)) }
        return [ExportedValue(n.emit("BatchNormalization", inputs, ["epsilon": .float(op.epsilon)])[0], order)]
    },
    OnnxExportRule(LayerNorm.entry, exportLayerNorm),
    OnnxExportRule(RmsNorm.entry, exportRmsNorm),
]

/// Composed: ONNX has the operator since set 23 only, and without the statistic.
@Sendable private func exportRmsNorm(_ n: NodeExport, _ op: RmsNorm) throws(ApusError) -> [ExportedValue] {
    let rank = n.rank(0), axes = Array(rank - op.axes..<rank), over = n.integers(axes)
    let x = try n.input(0), gamma = try n.input(1)
    let square = n("ReduceMean", n("Mul", x, x), over)
    let scale = n("Reciprocal", n("Sqrt", n("Add", square, try n.scalar(Double(op.epsilon), n.dtype(0)))))
    let order = AxisOrder.plain(rank)
    return [
        ExportedValue(n("Mul", n("Mul", x, scale), gamma), order),
        ExportedValue(n.isRead(output: 1) ? n("Squeeze", scale, over) : "", order.removing(axes)),
    ]
}

/// ONNX keeps the normalized axes of the statistics as 1, and has them in f32 only: those of f64 are composed.
@Sendable private func exportLayerNorm(_ n: NodeExport, _ op: LayerNorm) throws(ApusError) -> [ExportedValue] {
    let rank = n.rank(0), order = AxisOrder.plain(rank)
    let axes = Array(rank - op.axes..<rank)
    let x = try n.input(0), gamma = try n.input(1), beta = try n.input(2)
    let y: String, mean: String, inverseDeviation: String
    if n.dtype(0) == .f32 {
        let count = n.isRead(output: 1) || n.isRead(output: 2) ? 3 : 1
        let outputs = n.emit(
            "LayerNormalization", [x, gamma, beta], ["axis": .int(-op.axes), "epsilon": .float(op.epsilon)],
            outputs: count)
        (y, mean, inverseDeviation) = (outputs[0], outputs[count / 2], outputs[count - 1])
    } else {
        let over = n.integers(axes)
        mean = n("ReduceMean", x, over)
        let centered = n("Sub", x, mean)
        let variance = n("ReduceMean", n("Mul", centered, centered), over)
        let epsilon = try n.scalar(Double(op.epsilon), n.dtype(0))
        inverseDeviation = n("Reciprocal", n("Sqrt", n("Add", variance, epsilon)))
        y = n("Add", n("Mul", n("Mul", centered, inverseDeviation), gamma), beta)
    }
    var results = [ExportedValue(y, order)]
    for (i, statistic) in [mean, inverseDeviation].enumerated() {
        let name = n.isRead(output: i + 1) ? n("Squeeze", statistic, n.integers(axes)) : ""
        results.append(ExportedValue(name, order.removing(axes)))
    }
    return results
}
