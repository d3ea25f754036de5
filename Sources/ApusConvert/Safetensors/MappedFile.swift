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
