import ApusGraph
import CKernels

/// An opened model: the first three stages done once, shared by every session.
public final class Model: @unchecked Sendable {
    public let valid: ValidGraph
    public let names: Names
    public var graph: Graph { valid.graph }

    /// Stages 1–3 for a file.
    public convenience init(path: String) throws(ApusError) {
        let file = try ModelFile.open(path)
        do throws(ApusError) { try self.init(file) } catch { throw error.within(path) }
    }

    /// Stages 1–3 for bytes in memory, which must outlive the model.
    public convenience init(bytes: UnsafeRawBufferPointer) throws(ApusError) {
        try self.init(try ModelFile.open(bytes: bytes))
    }

    convenience init(_ file: ModelFile) throws(ApusError) {
        try self.init(try ModelReader.read(file))
    }

    /// Stage 3 for a graph made in memory.
    public init(_ graph: Graph) throws(ApusError) {
        valid = try ValidGraph(validating: graph)
        names = try Names(graph)
    }
}
