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
        do throws(ApusError) {
            return try MappedFile.read(path(name)) { bytes throws(ApusError) in
                try decodeJSON(type, bytes, keys: .convertFromSnakeCase)
            }
        } catch {
            throw error.message.hasPrefix(path(name)) ? error : error.within("\(path(name))")
        }
    }
}
