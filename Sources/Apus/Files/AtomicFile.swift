import ApusGraph
import Foundation
import Synchronization

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
        let temporary = claimTemporary(beside: target)
        defer { _ = claimed.withLock { $0.remove(temporary) } }
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(path) }
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

    /// The temporary files that this process is writing.
    private static let claimed = Mutex<Set<String>>([])

    /// The first "TARGET.PROCESS.NUMBER.tmp" that no other writer of this process has. A file of that name is what a process of the
    /// same number left, and is written over.
    private static func claimTemporary(beside target: String) -> String {
        claimed.withLock { names in
            var number = 0
            while !names.insert("\(target).\(getpid()).\(number).tmp").inserted { number += 1 }
            return "\(target).\(getpid()).\(number).tmp"
        }
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
