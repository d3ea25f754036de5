import ApusGraph
import CSystem

/// An opened model: the first three stages done once, shared by every session.
public final class Model: @unchecked Sendable {
    public let valid: ValidGraph
    public let names: Names
    public var graph: Graph { valid.graph }

    /// Stages 1–3 for a file. Paths are bytes, as the system takes them.
    public convenience init(path: UnsafePointer<CChar>) throws(ApusError) {
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
        try Model.reserve(FileLimits.readingMemory(file.header.count))
        do throws(ApusError) { try self.init(try ModelReader.read(file)) } catch {
            // In a file, a wrong shape is a broken rule of the format.
            throw error.code == .badShape || error.code == .invalidArgument ? .file("\(error.message)") : error
        }
    }

    /// Memory for a call that builds Swift objects, so that running out of it can be reported.
    static func reserve(_ size: Int) throws(ApusError) {
        guard cs_guard_reserve(size) == 0 else { throw ApusError(.outOfMemory, "out of memory") }
    }

    /// The same for a call that plans the graph.
    func reserveForPlanning() throws(ApusError) { try Model.reserve(FileLimits.planningMemory(graph)) }

    /// Stage 3 for a graph made in memory.
    public convenience init(_ graph: Graph) throws(ApusError) {
        let valid = try ValidGraph(validating: graph)
        self.init(valid, try Names(graph))
    }

    /// A class whose designated initializer throws leaks the object in Embedded Swift; so this one does not.
    private init(_ valid: ValidGraph, _ names: Names) {
        self.valid = valid
        self.names = names
    }
}
