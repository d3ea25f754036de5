import ApusGraph
import Foundation

/// The small files of a checkpoint.
struct CheckpointFolder {
    let url: URL

    init(_ url: URL) { self.url = url }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    /// A JSON file; its keys in snake case are the names of `type` in camel case.
    func json<T: Decodable>(_ type: T.Type, _ name: String) throws(ApusError) -> T {
        let file = try MappedFile(path(name))
        do throws(ApusError) {
            return try decodeJSON(type, file.bytes, keys: .convertFromSnakeCase)
        } catch {
            throw error.within("\(path(name))")
        }
    }

    func text(_ name: String) throws(ApusError) -> String {
        guard let text = String(validating: try MappedFile(path(name)).bytes, as: UTF8.self) else {
            throw .file("\(path(name)): not UTF-8")
        }
        return text
    }
}
