import ApusGraph
import Foundation

/// Files that are there whole or not at all.
public enum AtomicFile {
    /// Writes to a temporary name in the same folder, syncs it, renames it over `path` and syncs the folder. A file that was
    /// there gives its permissions, and a link to one stays a link. What is no regular file, such as a device or a pipe, and
    /// what is open already, such as /dev/stdout, is written to as it is. Temporary files of writers that were killed are
    /// removed.
    public static func write(_ bytes: [UInt8], to path: String) throws(ApusError) {
        try write(to: path) { sink throws(ApusError) in try sink.write(bytes) }
    }

    /// The same for a file that `body` writes piece by piece.
    public static func write(to path: String, _ body: (FileSink) throws(ApusError) -> Void) throws(ApusError) {
        var status = stat()
        let exists = stat(path, &status) == 0, target = followed(path)
        guard let target, !exists || status.st_mode & S_IFMT == S_IFREG else { return try writeThrough(to: path, body) }
        guard !parts(of: target).name.isEmpty else { throw ApusError(.ioError, "'\(path)' names no file") }
        removeLeftovers(of: target)
        let (temporary, descriptor) = try openTemporary(beside: target, path)
        do throws(ApusError) {
            guard !exists || fchmod(descriptor, status.st_mode & 0o777) == 0 else { throw failure(path) }
            try body(FileSink(descriptor: descriptor, path: path))
            guard fsync(descriptor) == 0 else { throw failure(path) }
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        guard close(descriptor) == 0, rename(temporary, target) == 0 else {
            let error = failure(path)
            unlink(temporary)
            throw error
        }
        let folder = open(parts(of: target).folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// A new file "TARGET.PROCESS.NUMBER.tmp", which no other writer has.
    private static func openTemporary(beside target: String, _ path: String) throws(ApusError) -> (name: String, descriptor: Int32) {
        for number in 0..<1 << 16 {
            let name = "\(target).\(getpid()).\(number).tmp"
            let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            if descriptor >= 0 { return (name, descriptor) }
            guard errno == EEXIST else { break }
        }
        throw failure(path)
    }

    private static func writeThrough(
        to path: String, _ body: (FileSink) throws(ApusError) -> Void
    ) throws(ApusError) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        try body(FileSink(descriptor: descriptor, path: path))
    }

    fileprivate static func failure(_ path: String) -> ApusError {
        ApusError(.ioError, "\(path): \(String(cString: strerror(errno)))")
    }
}

/// A file that is being written from its beginning to its end.
public struct FileSink {
    fileprivate let descriptor: Int32
    fileprivate let path: String

    /// Appends bytes.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(ApusError) {
        var offset = 0
        while offset < bytes.count {
            let count = Foundation.write(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw AtomicFile.failure(path) }
            offset += count
        }
    }

    /// Appends bytes.
    public func write(_ bytes: [UInt8]) throws(ApusError) {
        try bytes.withBytes { buffer throws(ApusError) in try write(buffer) }
    }
}

extension [UInt8] {
    /// `withUnsafeBytes` for a body that throws one kind of error.
    func withBytes<E>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
        try withUnsafeBytes { bytes in Result { () throws(E) in try body(bytes) } }.get()
    }
}
