import ApusGraph

/// Tables of embeddings as codes: rows of int8 with a scale each, or of int4 with one for each block of columns.
enum IntegerTables {
    /// Elements of a table below which codes save less than their scales and alignment cost.
    private static let least = 1 << 14

    /// Replaces each Gather of rows of a real constant by a WeightOnlyGather; returns how many. Nodes named in `keepFloat` stay.
    /// A table of an odd number of columns is int8 where int4 is asked for.
    static func quantize(
        _ graph: Graph, _ scheme: QuantizationScheme, block: Int, keepFloat: Set<String>
    ) throws(ApusError) -> Int {
        var tables: [Int: (operands: [Operand], op: WeightOnlyGather)] = [:]
        return try graph.rewriteFunctions { editor throws(ApusError) in
            var changes = 0
            for place in editor.nodes {
                let node = editor[place]
                guard let gather = node.op as? ApusGraph.Gather, gather.axis == 0, !keepFloat.contains(node.name),
                    case .constant(let index) = node.inputs[0], isTable(graph.constants[index].type)
                else { continue }
                if tables[index] == nil {
                    let table = graph.constants[index], isNarrow = scheme.isNarrow && table.type.shape[1] % 2 == 0
                    let (op, constants) = try replacement(table, isNarrow, block: block)
                    tables[index] = (constants.map { graph.append($0) }, op)
                }
                let (operands, op) = tables[index]!
                editor[place] = Node(node.name, op, operands + [node.inputs[1]])
                changes += 1
            }
            return changes
        }
    }

    private static func isTable(_ type: TensorType) -> Bool {
        type.dtype == .f32 && type.layout == .plain && type.shape.rank == 2 && type.shape.count >= least
    }

    private static func replacement(
        _ table: Constant, _ isNarrow: Bool, block: Int
    ) throws(ApusError) -> (WeightOnlyGather, [Constant]) {
        let rows = table.type.shape[0], columns = table.type.shape[1]
        let codes = try WeightCodes(table: table, block: isNarrow ? block : columns, limit: isNarrow ? 7 : 127)
        let scales = try Tensor(codes.scales, shape: [rows, codes.scales.count / rows])
        return (
            WeightOnlyGather(blockSize: isNarrow ? block : 0),
            [
                codes.plainConstant(table.name, isNarrow ? .i4 : .i8),
                try scales.converted(to: .f16).constant("\(table.name)/scales"),
            ]
        )
    }
}
