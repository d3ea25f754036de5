import ApusGraph

/// What the functions of a stream, or training by windows, keep between runs: states of the graph, by name.
final class StreamMemory {
    /// The position's state, named so that no layer's memory can be.
    static let position = "position"

    let graph: Graph
    /// The elements that attention looks back on, and how it keeps them.
    let context: Int
    let cache: DType
    /// How many elements a stream may have, where a layer looks their positions up in a table; nil: any number.
    private(set) var positions: Int?
    private var indices: [String: Int] = [:]

    init(_ graph: Graph, context: Int, cache: DType) {
        self.graph = graph
        self.context = context
        self.cache = cache
    }

    /// Says that there are so many positions at most.
    func limit(positions count: Int) { positions = min(positions ?? count, count) }

    /// The state of this name; zeros at first.
    func state(_ name: String, _ type: TensorType) throws(ApusError) -> Int {
        if let index = indices[name] {
            guard graph.states[index].type == type else {
                throw .shape("memory '\(name)' of \(type), wanted \(graph.states[index].type)")
            }
            return index
        }
        graph.states.append(State(name, type, .memory))
        indices[name] = graph.states.count - 1
        return graph.states.count - 1
    }
}

/// One function of these under construction: the memory it reads, and what it leaves for the next run.
final class StepMemory {
    let stream: StreamMemory
    let chunk: Int
    private var read: [String: Int] = [:]
    private var written: [String: Value] = [:]

    init(_ stream: StreamMemory, chunk: Int) {
        self.stream = stream
        self.chunk = chunk
    }

    func value(_ name: String, _ type: TensorType) throws(ApusError) -> Value {
        let index = try stream.state(name, type)
        read[name] = index
        return Value(operand: .state(index), type: type)
    }

    func isRead(_ name: String) -> Bool { read[name] != nil }

    func set(_ name: String, _ value: Value) { written[name] = value }

    /// Every memory that was read takes its next value after the run; the position moves by the chunk.
    func finish(_ builder: GraphBuilder) throws(ApusError) {
        if let index = read[StreamMemory.position] {
            let next = try builder(.add, builder.state(index), try builder.scalar(Double(chunk), .i64))
            written[StreamMemory.position] = next
        }
        for (name, index) in read.sorted(by: { $0.value < $1.value }) {
            guard let value = written[name] else { throw .argument("memory '\(name)' is read and never remembered") }
            try builder.update(state: index, to: value)
        }
    }
}
