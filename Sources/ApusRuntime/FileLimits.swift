import ApusGraph

/// How much a file may declare, so that reading, checking and planning take bounded memory and time whatever the file
/// says. Models of any practical size stay far below.
public enum FileLimits {
    /// Bytes of fields 1 ... 13.
    static let header = 1 << 26
    static let dimensions = 256
    static let functions = 1 << 10
    /// Constants, states, and the inputs, nodes, outputs and updates of all functions together.
    static let values = 1 << 15
    /// Inputs of all nodes together.
    static let operands = 1 << 17
    /// Outputs of all nodes together. The layout of the arena takes time in their square.
    static let results = 1 << 15
    static let goldens = 1 << 10
    static let metadata = 1 << 16
    static let labels = 1 << 20

    /// What a file of this graph would be refused for; the sizes of its records are not counted.
    public static func check(_ graph: Graph) throws(ApusError) {
        var values = graph.constants.count + graph.states.count, operands = 0, results = 0, labels = 0
        for function in graph.functions {
            values += function.inputs.count + function.nodes.count + function.outputs.count + function.updates.count
            for node in function.nodes {
                operands += node.inputs.count
                results += node.op.outputCount
            }
            for output in function.outputs { labels += output.labels.count }
        }
        try check(graph.dimensions.count, dimensions, "dimensions")
        try check(graph.functions.count, functions, "functions")
        try check(graph.metadata.count, metadata, "entries of metadata")
        try check(graph.goldens.count, goldens, "golden pairs")
        try check(values, self.values, "constants, states, inputs, nodes, outputs and updates")
        try check(operands, self.operands, "inputs of nodes")
        try check(results, self.results, "outputs of nodes")
        try check(labels, self.labels, "labels")
    }

    static func check(_ count: Int, _ limit: Int, _ what: StaticString) throws(ApusError) {
        guard count <= limit else { throw .file("\(count) \(what), wanted at most \(limit)") }
    }

    /// What protobuf-c may allocate for a header of this size.
    static func messageMemory(_ header: Int) -> Int { min((1 << 16) + header * 128, (1 << 28) + header * 4) }

    /// What the Swift objects made of a header of this size take at most.
    static func readingMemory(_ header: Int) -> Int { min((1 << 18) + header * 256, (1 << 29) + header * 4) }

    /// What plans of these functions take at most.
    static func planningMemory(_ graph: Graph) -> Int {
        var count = graph.constants.count + graph.states.count, operands = 0
        for function in graph.functions {
            count += function.nodes.count + function.inputs.count + function.outputs.count + function.updates.count
            for node in function.nodes { operands += node.inputs.count + node.op.outputCount }
        }
        return (1 << 18) + count * 8192 + operands * 2048
    }
}
