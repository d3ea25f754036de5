import ApusGraph

/// The arena of a function as a picture: time downwards, addresses to the right.
public struct MemoryMap {
    public struct Buffer {
        /// The value it is first used for, or "workspace of …".
        public let name: String
        public let offset: Int
        public let size: Int
        /// The steps between which it is in use; the node count is the end of the function.
        public let first: Int
        public let last: Int
    }

    public let buffers: [Buffer]
    /// Names of the nodes, in running order.
    public let nodes: [String]
    /// Bytes of this function's arena; functions share one, as large as the largest.
    public let peak: Int

    public init(
        _ model: Model, function index: Int = 0, _ options: SessionOptions = SessionOptions()
    ) throws(ApusError) {
        let function = model.graph.functions[index]
        let planOptions = PlanOptions(limits: try options.maxima(model.graph), isa: options.resolvedISA, lanes: 1)
        let plan = try Plan(model.valid, function: index, planOptions)
        let layout = ArenaLayout(plan.buffers)
        var names: [String] = []
        for _ in plan.buffers { names.append("") }
        for (local, name) in MemoryMap.localNames(function).enumerated() {
            if case .buffer(let buffer) = plan.places[local], names[buffer].utf8.isEmpty { names[buffer] = name }
        }
        for (i, output) in function.outputs.enumerated() where names[plan.outputs[i]].utf8.isEmpty {
            names[plan.outputs[i]] = output.name
        }
        var buffers: [Buffer] = []
        for (i, lifetime) in plan.buffers.enumerated() {
            var name = names[i]
            if name.utf8.isEmpty { name = "workspace of " + function.nodes[lifetime.first].name }
            buffers.append(
                Buffer(
                    name: name, offset: layout.offsets[i], size: lifetime.size, first: lifetime.first,
                    last: lifetime.last))
        }
        self.buffers = buffers
        nodes = function.nodes.map { $0.name }
        peak = layout.peak
    }

    private static func localNames(_ function: Function) -> [String] {
        var names = function.inputs.map { $0.name }
        for node in function.nodes {
            for output in 0..<node.op.outputCount {
                names.append(output == 0 ? node.name : node.name + "#" + String(output))
            }
        }
        return names
    }

    // MARK: Text

    /// One line a node: where each buffer lies while the node runs, a letter for each buffer; then the letters' names.
    /// A buffer of a few bytes still gets one column.
    public func text(columns: Int = 64) -> String {
        let columns = max(8, columns)
        var width = 4
        for node in nodes { width = max(width, min(28, node.utf8.count)) }
        var text = "arena of " + String(peak) + " bytes, a column is " + String(columnBytes(columns)) + "\n"
        for time in 0...nodes.count {
            text += MemoryMap.padded(time < nodes.count ? nodes[time] : "end", width) + " |"
            var row: [UInt8] = []
            for _ in 0..<columns { row.append(UInt8(ascii: " ")) }
            for (i, buffer) in buffers.enumerated()
            where buffer.size > 0 && buffer.first <= time && time <= buffer.last {
                for column in self.columns(of: buffer, columns) { row[column] = MemoryMap.letter(i) }
            }
            text += String(decoding: row, as: UTF8.self) + "|\n"
        }
        for (i, buffer) in buffers.enumerated() {
            text += String(decoding: [MemoryMap.letter(i)], as: UTF8.self) + " " + MemoryMap.padded(buffer.name, max(width, buffer.name.utf8.count))
            text += " " + String(buffer.size) + " bytes at " + String(buffer.offset) + "\n"
        }
        return text
    }

    private func columnBytes(_ columns: Int) -> Int { max(1, (peak + columns - 1) / columns) }

    private func columns(of buffer: Buffer, _ columns: Int) -> ClosedRange<Int> {
        let bytes = columnBytes(columns)
        let first = min(columns - 1, buffer.offset / bytes)
        return first...min(columns - 1, max(first, (buffer.offset + buffer.size - 1) / bytes))
    }

    private static func letter(_ index: Int) -> UInt8 {
        let i = UInt8(index % 52)
        return i < 26 ? UInt8(ascii: "a") + i : UInt8(ascii: "A") + i - 26
    }

    /// Cut or filled with blanks to a width in bytes; a line end or another control character is a question mark.
    private static func padded(_ text: String, _ width: Int) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 where bytes.count < width {
            bytes.append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte)
        }
        while bytes.count < width { bytes.append(UInt8(ascii: " ")) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
