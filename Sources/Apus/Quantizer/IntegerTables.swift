import ApusGraph

/// Tables of embeddings as int8: row r of a table is scale[r] · codes[r], with scale[r] = max |row r| / 127.
enum IntegerTables {
    /// Elements of a table below which codes save less than the nodes that read them cost.
    private static let least = 1 << 14

    /// Replaces each Gather of rows of a real constant by Gathers of codes and of scales, and their product, which has its
    /// name. Nodes named in `keepFloat` stay.
    static func quantize(_ graph: Graph, keepFloat: Set<String>) throws(ApusError) {
        var tables: [Int: [Operand]] = [:]
        for index in graph.functions.indices {
            var function = graph.functions[index]
            let nodes = function.nodes
            function.nodes = []
            var locals = Array(function.inputs.indices), next = locals.count
            func renumbered(_ operand: Operand) -> Operand {
                if case .local(let local) = operand { return .local(locals[local]) }
                return operand
            }
            for var node in nodes {
                node.inputs = node.inputs.map(renumbered)
                guard !keepFloat.contains(node.name), let constant = table(node, graph) else {
                    function.nodes.append(node)
                    locals += next..<next + node.op.outputCount
                    next += node.op.outputCount
                    continue
                }
                if tables[constant] == nil { tables[constant] = try appendCodes(of: constant, to: graph) }
                let parts = tables[constant]!, indices = node.inputs[1]
                function.nodes += [
                    Node("\(node.name)/codes", ApusGraph.Gather(), [parts[0], indices]),
                    Node("\(node.name)/numbers", Cast(.f32), [.local(next)]),
                    Node("\(node.name)/scales", ApusGraph.Gather(), [parts[1], indices]),
                    Node(node.name, Operator.mul, [.local(next + 1), .local(next + 2)]),
                ]
                locals.append(next + 3)
                next += 4
            }
            for i in function.outputs.indices { function.outputs[i].operand = renumbered(function.outputs[i].operand) }
            for i in function.updates.indices { function.updates[i].local = locals[function.updates[i].local] }
            graph.functions[index] = function
        }
    }

    /// The constant [rows, columns] whose rows a node gathers.
    private static func table(_ node: Node, _ graph: Graph) -> Int? {
        guard let gather = node.op as? ApusGraph.Gather, gather.axis == 0, case .constant(let i) = node.inputs[0] else { return nil }
        let type = graph.constants[i].type
        let isTable = type.dtype == .f32 && type.layout == .plain && type.shape.rank == 2 && type.shape.count >= least
        return isTable ? i : nil
    }

    /// The operands of the codes, i8 [rows, columns], and of the scales, f32 [rows, 1].
    private static func appendCodes(of constant: Int, to graph: Graph) throws(ApusError) -> [Operand] {
        let table = graph.constants[constant], shape = table.type.shape, columns = shape[1]
        let values = try Tensor(table).array(of: Float.self)
        var codes: [Int8] = [], scales: [Float] = []
        codes.reserveCapacity(values.count)
        for row in 0..<shape[0] {
            let elements = values[row * columns..<(row + 1) * columns]
            let largest = elements.reduce(Float(0)) { max($0, abs($1)) } / 127
            let scale = largest > 0 && largest.isFinite ? largest : 1
            scales.append(scale)
            for element in elements { codes.append(Int8(min(max((element / scale).rounded(.toNearestOrEven), -127), 127))) }
        }
        return [
            graph.append(Constant(table.name, TensorType(.i8, shape), codes.withUnsafeBytes { HeapStorage($0) })),
            graph.append(
                Constant("\(table.name)/scales", TensorType(.f32, [shape[0], 1]), scales.withUnsafeBytes { HeapStorage($0) })),
        ]
    }
}
