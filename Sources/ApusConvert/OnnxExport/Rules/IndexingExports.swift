import ApusGraph

let indexingExports: [OnnxExportRule] = [
    // Outside of the table Apus reads zeros, and ONNX knows no such index.
    OnnxExportRule(Gather.entry) { (n, op: Gather) throws(ApusError) in
        n.plain(n("Gather", try n.input(0), try n.input(1), attributes: ["axis": .int(op.axis)]))
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
