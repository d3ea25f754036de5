import ApusGraph
import CSystem
import Foundation

/// Tensors' bytes in files beside the model: inside its folder, reached through no symbolic link.
final class ExternalData {
    private let folder: URL
    private var files: [String: Storage] = [:]
    /// What tensors have taken of each file.
    private var taken: [String: [Range<Int>]] = [:]

    init(folder: URL) { self.folder = folder }

    /// `length` bytes from `offset` of the file at a relative path. No other tensor may have any of them, so that tensors
    /// are no larger together than the files.
    func bytes(_ location: String, offset: Int, length: Int) throws(ApusError) -> (storage: Storage, offset: Int) {
        let file = try open(location)
        let end = offset.addingReportingOverflow(length)
        guard offset >= 0, length >= 0, !end.overflow, end.partialValue <= file.bytes.count else {
            throw .file("external data '\(location)': \(length) bytes at \(offset), wanted within \(file.bytes.count)")
        }
        try take(offset..<end.partialValue, of: location)
        return (file, offset)
    }

    /// The ranges of a file are kept in order.
    private func take(_ range: Range<Int>, of location: String) throws(ApusError) {
        guard !range.isEmpty else { return }
        var low = 0, high = taken[location, default: []].count
        while low < high {
            let middle = (low + high) / 2
            if taken[location]![middle].lowerBound < range.lowerBound { low = middle + 1 } else { high = middle }
        }
        let ranges = taken[location, default: []]
        for other in [low - 1, low] where ranges.indices.contains(other) && ranges[other].overlaps(range) {
            throw .file(
                "external data '\(location)': bytes \(range.lowerBound) ..< \(range.upperBound), of which another tensor "
                    + "has some")
        }
        taken[location, default: []].insert(range, at: low)
    }

    private func open(_ location: String) throws(ApusError) -> Storage {
        if let file = files[location] { return file }
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        guard !location.utf8.contains(0), !parts.isEmpty,
            parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." })
        else { throw .file("external data at '\(location)', wanted a path inside the model's folder") }
        var directory = Foundation.open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if directory >= 0 { close(directory) } }
        for part in parts.dropLast() {
            let next = openat(directory, String(part), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            if directory >= 0 { close(directory) }
            directory = next
        }
        let descriptor = openat(directory, String(parts.last!), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let reason = errno == ELOOP || errno == ENOTDIR ? "a symbolic link" : String(cString: strerror(errno))
            throw ApusError(.ioError, "external data '\(location)': \(reason)")
        }
        defer { close(descriptor) }
        let file = try ExternalFile(descriptor, location)
        files[location] = file
        return file
    }
}

/// A mapping of a regular file.
private final class ExternalFile: Storage {
    init(_ descriptor: Int32, _ location: String) throws(ApusError) {
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            throw ApusError(.ioError, "external data '\(location)': not a regular file")
        }
        let size = Int(information.st_size)
        guard size > 0 else {
            super.init(UnsafeRawBufferPointer(start: nil, count: 0))
            return
        }
        guard let memory = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED else {
            throw ApusError(.ioError, "external data '\(location)': \(String(cString: strerror(errno)))")
        }
        super.init(UnsafeRawBufferPointer(start: memory, count: size))
    }

    deinit { if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) } }
}
