import ApusGraph

let selectionExports: [OnnxExportRule] = [
    OnnxExportRule(TopK.entry) { (n, op: TopK) throws(ApusError) in
        let order = n.order(0), x = try n.input(0, n.order(0))
        let axis = try n.type(0).shape.axis(op.axis), place = order.place(of: axis)
        var k = n.integers([min(op.k, n.extent(0, axis) ?? op.k)])
        // Where there are fewer, all of them.
        if n.extent(0, axis) == nil { k = n("Min", k, n("Gather", n("Shape", x), n.integers([place]))) }
        let attributes: [String: OnnxAttribute] = ["axis": .int(place), "largest": .int(op.smallest ? 0 : 1)]
        return n.emit("TopK", [x, k], attributes, outputs: 2).map { ExportedValue($0, order) }
    },
    OnnxExportRule(NonZero.entry) { (n, _: NonZero) throws(ApusError) in
        let x = try n.input(0)
        let found = ExportedValue(n("NonZero", x), AxisOrder([1, 0]))
        return n.counted(found, capacity: n("Size", x))
    },
    OnnxExportRule(NonMaxSuppression.entry) { (n, op: NonMaxSuppression) throws(ApusError) in
        let scores = try n.input(1)
        var inputs = [
            try n.input(0), scores, n.integers([op.maximumPerClass]),
            try n.scalar(Double(op.iouThreshold), .f32, shape: [1]),
        ]
        if let threshold = op.scoreThreshold { inputs.append(try n.scalar(Double(threshold), .f32, shape: [1])) }
        let found = n.emit("NonMaxSuppression", inputs, ["center_point_box": .int(op.isCentered ? 1 : 0)])[0]
        // batch·classes·min(maximum, N).
        let limits = n.integers([Int(Int32.max), Int(Int32.max), op.maximumPerClass])
        let room = n("ReduceProd", n("Min", n("Shape", scores), limits), attributes: ["keepdims": .int(0)])
        return n.counted(ExportedValue(found, .plain(2)), capacity: room)
    },
    OnnxExportRule(Trim.entry) { (n, _: Trim) throws(ApusError) in
        if let found = n.trimmed() { return [found] }
        let order = n.order(0)
        let end = n("Reshape", try n.input(1), n.integers([1]))
        let place = n.integers([order.place(of: 0)])
        return [ExportedValue(n("Slice", try n.input(0, order), n.integers([0]), end, place), order)]
    },
]

extension NodeExport {
    /// Rows of which there are as many as data decide, as outputs with room for `capacity` rows, and their number. What only
    /// takes those rows again reads them as they are.
    fileprivate func counted(_ rows: ExportedValue, capacity: String) -> [ExportedValue] {
        let place = rows.order.place(of: 0)
        let count = self("Gather", self("Shape", rows.name), integers([place]))
        let missing = self("Sub", self("Reshape", capacity, integers([1])), count)
        let padded = self("Pad", rows.name, emit(
            "Concat", [integers([0, 0] + (place == 0 ? [] : [0])), missing] + (place == 0 ? [integers([0])] : []),
            ["axis": .int(0)])[0])
        declareTrimmed(rows)
        return [
            ExportedValue(padded, rows.order), ExportedValue(self("Reshape", count, integers([])), .plain(0)),
        ]
    }
}
