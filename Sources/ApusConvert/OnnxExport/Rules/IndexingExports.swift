import ApusGraph

let indexingExports: [OnnxExportRule] = [
    // Outside of the table Apus reads zeros, and ONNX knows no such index.
    OnnxExportRule(Gather.entry) { (n, op: Gather) throws(ApusError) in
        n.plain(n("Gather", try n.input(0), try n.input(1), attributes: ["axis": .int(op.axis)]))
    },
    // Rows added to zeros where the indices say, along the first axis.
    OnnxExportRule(GatherGradient.entry) { (n, op: GatherGradient) throws(ApusError) in
        let axis = try n.type(2).shape.axis(op.axis), width = n.rank(1)
        func inFront(_ count: Int, of rank: Int) -> AxisOrder {
            let moved = Array(axis..<axis + count)
            return AxisOrder(moved + (0..<rank).filter { !moved.contains($0) })
        }
        let order = inFront(1, of: n.rank(2))
        let zeros = n("Expand", try n.scalar(0, n.dtype(0)), n("Shape", try n.input(2, order)))
        let places = n("Unsqueeze", n.cast(try n.input(1), to: .i64), n.integers([-1]))
        let sum = n(
            "ScatterND", zeros, places, try n.input(0, inFront(width, of: n.rank(0))),
            attributes: ["reduction": .string(Array("add".utf8))])
        return [ExportedValue(sum, order)]
    },
    OnnxExportRule(OneHot.entry) { (n, op: OneHot) throws(ApusError) in
        let depth = try n.scalar(Double(op.depth), n.dtype(0))
        let values = try n.tensor([Double(op.offValue), Double(op.onValue)], .f32, [2])
        // Of one index ONNX wants a vector.
        guard n.rank(0) == 0 else { return n.plain(n("OneHot", try n.input(0), depth, values)) }
        let vector = n("Reshape", try n.input(0), n.integers([1]))
        return n.plain(n("Reshape", n("OneHot", vector, depth, values), n.integers([op.depth])))
    },
]
