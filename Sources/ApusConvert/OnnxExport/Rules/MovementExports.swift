import ApusGraph

let movementExports: [OnnxExportRule] = [
    OnnxExportRule(Flatten.entry) { (n, op: Flatten) throws(ApusError) in
        n.plain(n("Flatten", try n.input(0), attributes: ["axis": .int(op.axis)]))
    },
    OnnxExportRule(Reshape.entry) { (n, op: Reshape) throws(ApusError) in
        n.plain(n("Reshape", try n.input(0), n.integers(op.shape)))
    },
    OnnxExportRule("ReshapeLike") { n throws(ApusError) in
        n.plain(n("Reshape", try n.input(0), n("Shape", try n.input(1))))
    },
    // No node: the value is seen in another order.
    OnnxExportRule(Transpose.entry) { (n, op: Transpose) throws(ApusError) in
        let order = n.order(0)
        return [ExportedValue(try n.input(0, order), order.transposed(op.permutation))]
    },
    OnnxExportRule(Concat.entry) { (n, op: Concat) throws(ApusError) in
        let (names, order) = try n.broadcast()
        let axis = order.place(of: try n.type(0).shape.axis(op.axis))
        return [ExportedValue(n.emit("Concat", names, ["axis": .int(axis)])[0], order)]
    },
    OnnxExportRule(Split.entry) { (n, op: Split) throws(ApusError) in
        let order = n.order(0)
        let axis = order.place(of: try n.type(0).shape.axis(op.axis))
        return n.emit(
            "Split", [try n.input(0, order), n.integers(op.sizes)], ["axis": .int(axis)], outputs: op.sizes.count
        ).map { ExportedValue($0, order) }
    },
    OnnxExportRule(Slice.entry, exportSlice),
    OnnxExportRule(Pad.entry, exportPad),
    OnnxExportRule(Expand.entry) { (n, op: Expand) throws(ApusError) in
        n.plain(n("Expand", try n.input(0), n.integers(op.shape.map { max(1, $0) })))
    },
]

@Sendable private func exportSlice(_ n: NodeExport, _ op: Slice) throws(ApusError) -> [ExportedValue] {
    let order = n.order(0)
    var axes: [Int] = []
    for axis in op.axes { axes.append(order.place(of: try n.type(0).shape.axis(axis))) }
    let y = n(
        "Slice", try n.input(0, order), n.integers(op.starts), n.integers(op.ends), n.integers(axes),
        n.integers(op.steps))
    return [ExportedValue(y, order)]
}

@Sendable private func exportPad(_ n: NodeExport, _ op: Pad) throws(ApusError) -> [ExportedValue] {
    let order = n.order(0)
    var y = try n.input(0, order)
    func pad(_ mode: String, _ before: [Int], _ after: [Int], _ value: String? = nil) {
        let widths = n.integers(order.axes.map { before[$0] } + order.axes.map { after[$0] })
        y = n.emit("Pad", [y, widths] + (value.map { [$0] } ?? []), ["mode": .string(Array(mode.utf8))])[0]
    }
    switch op.mode {
    case .constant:
        // Among codes 0 is the zero point.
        let value = n.type(0).quantization.map { Double($0.zeroPoints.first ?? 0) } ?? Double(op.value)
        pad("constant", op.before, op.after, try n.scalar(value, n.dtype(0)))
    case .edge: pad("edge", op.before, op.after)
    case .reflect:
        for step in reflections(n, op) { pad(step.isEdge ? "edge" : "reflect", step.before, step.after) }
    }
    return [ExportedValue(y, order)]
}

/// ONNX mirrors at most all elements but one. Wider margins of a fixed extent are made step by step, since what is
/// mirrored so repeats itself; one element alone is repeated.
private func reflections(_ n: NodeExport, _ op: Pad) -> [(isEdge: Bool, before: [Int], after: [Int])] {
    var before = op.before, after = op.after
    var extents = before.indices.map { n.extent(0, $0) }
    var steps: [(isEdge: Bool, before: [Int], after: [Int])] = []
    func isWide(_ axis: Int) -> Bool { before[axis] > 0 || after[axis] > 0 }
    func take(isEdge: Bool, _ limit: (Int) -> Int) {
        let first = before.indices.map { min(before[$0], limit($0)) }
        let last = after.indices.map { min(after[$0], limit($0)) }
        steps.append((isEdge, first, last))
        for axis in before.indices {
            before[axis] -= first[axis]
            after[axis] -= last[axis]
            extents[axis] = extents[axis].map { $0 + first[axis] + last[axis] }
        }
    }
    if before.indices.contains(where: { isWide($0) && extents[$0] == 1 }) {
        take(isEdge: true) { extents[$0] == 1 ? Int.max : 0 }
    }
    while before.indices.contains(where: isWide) {
        let limits = extents.map { $0.map { $0 - 1 } ?? Int.max }
        take(isEdge: false) { limits[$0] }
    }
    return steps
}
