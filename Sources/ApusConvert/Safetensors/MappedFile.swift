import ApusGraph
import CSystem
import Foundation

/// A file, mapped read-only for as long as constants point into it.
final class MappedFile: Storage {
    init(_ path: String) throws(ApusError) {
        var bytes: UnsafeRawPointer?
        var size = 0
        let error = cs_map_file(path, &bytes, &size)
        guard error == 0 else { throw ApusError(.ioError, "\(path): \(String(cString: cs_error_text(error)))") }
        super.init(UnsafeRawBufferPointer(start: bytes, count: size))
    }

    deinit { cs_unmap(bytes.baseAddress, bytes.count) }
}

extension MappedFile {
    /// What `body` makes of the bytes of a file, which is mapped as long as it runs.
    static func read<T>(_ path: String, _ body: (UnsafeRawBufferPointer) throws(ApusError) -> T) throws(ApusError) -> T {
        let file = try MappedFile(path)
        return try withExtendedLifetime(file) { () throws(ApusError) in try body(file.bytes) }
    }
}
