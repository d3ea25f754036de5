import ApusGraph
import CSystem

/// An opened model: the first three stages done once, shared by every session.
public final class Model: @unchecked Sendable {
    public let valid: ValidGraph
    public let names: Names
    public var graph: Graph { valid.graph }

    /// Stages 1–3 for a file.
    public convenience init(path: String) throws(ApusError) {
        let file = try ModelFile.open(path)
        do throws(ApusError) { try self.init(file) } catch { throw error.within("\(path)") }
    }

    /// Stages 1–3 for bytes in memory, which must outlive the model.
    public convenience init(bytes: UnsafeRawBufferPointer) throws(ApusError) {
        try self.init(try ModelFile.open(bytes: bytes))
    }

    convenience init(_ file: ModelFile) throws(ApusError) {
        // The operator table is made on first use and outlives every model.
        cs_permanent_begin()
        _ = operatorTable.entries.count
        cs_permanent_end()
        try Model.reserve((1 << 18) + file.header.count * 256)
        try self.init(try ModelReader.read(file))
    }

    /// Memory for a call that builds Swift objects, so that running out of it can be reported.
    static func reserve(_ size: Int) throws(ApusError) {
        guard cs_guard_reserve(size) == 0 else { throw ApusError(.outOfMemory, "out of memory") }
    }

    /// The same for a call that plans the graph.
    func reserveForPlanning() throws(ApusError) {
        var count = graph.constants.count + graph.states.count
        for function in graph.functions { count += function.nodes.count + function.inputs.count }
        try Model.reserve((1 << 18) + count * 8192)
    }

    /// Stage 3 for a graph made in memory.
    public init(_ graph: Graph) throws(ApusError) {
        valid = try ValidGraph(validating: graph)
        names = try Names(graph)
    }
}
