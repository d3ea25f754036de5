import ApusGraph

let reductionExports: [OnnxExportRule] = [
    OnnxExportRule("ReduceSum") { (n, op: Reduction) throws(ApusError) in try exportReduction("ReduceSum", n, op) },
    OnnxExportRule("ReduceMean") { (n, op: Reduction) throws(ApusError) in try exportReduction("ReduceMean", n, op) },
    OnnxExportRule("ReduceMax") { (n, op: Reduction) throws(ApusError) in try exportReduction("ReduceMax", n, op) },
    OnnxExportRule("ReduceMin") { (n, op: Reduction) throws(ApusError) in try exportReduction("ReduceMin", n, op) },
    OnnxExportRule(ArgMax.entry) { (n, op: ArgMax) throws(ApusError) in try exportArg("ArgMax", n, op) },
    OnnxExportRule(ArgMin.entry) { (n, op: ArgMin) throws(ApusError) in try exportArg("ArgMin", n, op) },
]

private func exportReduction(_ onnx: String, _ n: NodeExport, _ op: Reduction) throws(ApusError) -> [ExportedValue] {
    let order = n.order(0)
    var axes: [Int] = []
    for axis in op.axes { axes.append(try n.type(0).shape.axis(axis)) }
    if axes.isEmpty { axes = Array(0..<n.rank(0)) }
    let places = axes.map { order.place(of: $0) }.sorted()
    let y = n(
        onnx, try n.input(0, order), n.integers(places), attributes: ["keepdims": .int(op.keepDimensions ? 1 : 0)])
    return [ExportedValue(y, op.keepDimensions ? order : order.removing(axes))]
}

private func exportArg(_ onnx: String, _ n: NodeExport, _ op: ArgReduction) throws(ApusError) -> [ExportedValue] {
    let order = n.order(0)
    let axis = try n.type(0).shape.axis(op.axis)
    let y = n(
        onnx, try n.input(0, order),
        attributes: ["axis": .int(order.place(of: axis)), "keepdims": .int(op.keepDimensions ? 1 : 0)])
    return [ExportedValue(y, op.keepDimensions ? order : order.removing([axis]))]
}
