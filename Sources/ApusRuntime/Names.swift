import ApusGraph
import CSystem

/// A model's names as C strings in one allocation, for the C interface to hand out.
public final class Names {
    public typealias Text = UnsafePointer<CChar>

    public private(set) var functions: [Text] = []
    /// Per function.
    public private(set) var inputs: [[Text]] = []
    public private(set) var outputs: [[Text]] = []
    public private(set) var nodes: [[Text]] = []
    public private(set) var operators: [[Text]] = []
    public private(set) var dimensions: [Text] = []
    public private(set) var states: [Text] = []
    public private(set) var metadata: [(key: Text, value: Text)] = []

    private let memory: UnsafeMutableRawPointer
    private var used = 0

    convenience init(_ graph: Graph) throws(ApusError) {
        let metadata = Names.metadata(of: graph)
        var size = 1
        Names.visit(graph, metadata) { size += $0.withBytes { $0.count } + 1 }
        guard let memory = cs_allocate(size, 16) else {
            throw ApusError(.outOfMemory, "no memory for \(size) bytes of names")
        }
        self.init(graph, metadata, memory)
    }

    /// Fills memory that has room for every text.
    private init(_ graph: Graph, _ metadata: [(key: String, value: String)], _ memory: UnsafeMutableRawPointer) {
        self.memory = memory
        for function in graph.functions {
            functions.append(store(function.name))
            inputs.append(function.inputs.map { store($0.name) })
            outputs.append(function.outputs.map { store($0.name) })
            nodes.append(function.nodes.map { store($0.name) })
            operators.append(function.nodes.map { store($0.op.name) })
        }
        dimensions = graph.dimensions.map { store($0.name) }
        states = graph.states.map { store($0.name) }
        self.metadata = metadata.map { (store($0.key), store($0.value)) }
    }

    deinit { cs_free(memory) }

    /// The file's entries, and each output's labels as "labels.OUTPUT", one a line.
    private static func metadata(of graph: Graph) -> [(key: String, value: String)] {
        var entries = graph.metadata
        for function in graph.functions {
            for output in function.outputs where !output.labels.isEmpty {
                var lines = Message.StringInterpolation(literalCapacity: 0, interpolationCount: 0)
                for (i, label) in output.labels.enumerated() {
                    if i > 0 { lines.appendLiteral("\n") }
                    lines.appendInterpolation(label)
                }
                entries.append((Message("labels.\(output.name)").text, Message(stringInterpolation: lines).text))
            }
        }
        return entries
    }

    private static func visit(_ graph: Graph, _ metadata: [(key: String, value: String)], _ body: (String) -> Void) {
        for function in graph.functions {
            body(function.name)
            for input in function.inputs { body(input.name) }
            for output in function.outputs { body(output.name) }
            for node in function.nodes {
                body(node.name)
                body(node.op.name)
            }
        }
        for dimension in graph.dimensions { body(dimension.name) }
        for state in graph.states { body(state.name) }
        for entry in metadata {
            body(entry.key)
            body(entry.value)
        }
    }

    private func store(_ text: String) -> Text {
        let start = (memory + used).assumingMemoryBound(to: CChar.self)
        text.withBytes { bytes in
            for i in 0..<bytes.count { start[i] = CChar(bitPattern: bytes[i]) }
            start[bytes.count] = 0
            used += bytes.count + 1
        }
        return Text(start)
    }
}
