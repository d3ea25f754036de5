import ApusGraph
import CImage
import Foundation

/// The content of a file, unpacked if it is gzip; zlib recognizes that by its first bytes.
final class FileBytes: @unchecked Sendable {
    /// A gzip file that unpacks to more is refused: a few kilobytes could name any number of zeros.
    static let unpackedLimit = 1 << 32

    private let base: UnsafeMutableRawPointer
    private let count: Int

    /// Calls `body` with the content, which lives at least as long as the call.
    func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(ApusError) -> Result
    ) throws(ApusError) -> Result {
        try withExtendedLifetime(self) { () throws(ApusError) in
            try body(UnsafeRawBufferPointer(start: base, count: count))
        }
    }

    /// - Throws: `.ioError` for what cannot be opened or is not a regular file, `.badFile` for broken gzip,
    ///   `.unsupported` beyond the limit, `.outOfMemory`.
    convenience init(contentsOf path: String) throws(ApusError) {
        var information = stat()
        guard stat(path, &information) == 0 else { throw .cannot("open", path) }
        guard information.st_mode & S_IFMT == S_IFREG else {
            throw ApusError(.ioError, "\(path): found something that is not a regular file, wanted a file")
        }
        guard let file = gzopen(path, "rb") else { throw .cannot("open", path) }
        defer { gzclose(file) }
        try self.init(reading: file, path: path, size: Int(information.st_size))
    }

    /// The content as data of Foundation, whose own way to read a directory leaks.
    static func data(_ path: String) throws(ApusError) -> Data {
        try FileBytes(contentsOf: path).withBytes { Data($0) }
    }

    private init(reading file: gzFile, path: String, size: Int) throws(ApusError) {
        var memory: UnsafeMutableRawPointer?
        var capacity = 0
        var count = 0
        do throws(ApusError) {
            while true {
                if count == capacity {
                    capacity = Swift.max(size + 1, capacity * 2)
                    guard let grown = realloc(memory, capacity) else {
                        throw ApusError(.outOfMemory, "\(path): no memory for \(capacity) bytes")
                    }
                    memory = grown
                }
                let read = gzread(file, memory! + count, UInt32(Swift.min(capacity - count, 1 << 24)))
                var code: Int32 = Z_OK
                _ = gzerror(file, &code)
                guard read >= 0, code == Z_OK || code == Z_STREAM_END else {
                    if code == Z_ERRNO { throw .cannot("read", path) }
                    throw .file(code == Z_BUF_ERROR
                        ? "\(path): the gzip data end early, after \(count) unpacked bytes"
                        : "\(path): the gzip data are broken after \(count) unpacked bytes")
                }
                if read == 0 { break }
                count += Int(read)
                guard count <= Self.unpackedLimit || gzdirect(file) == 1 else {
                    throw .unsupported("\(path): unpacks to more than \(Self.unpackedLimit) bytes")
                }
            }
        } catch {
            free(memory)
            throw error
        }
        base = memory!
        self.count = count
    }

    deinit { free(base) }
}

extension ApusError {
    /// The failure that `errno` tells.
    static func cannot(_ verb: String, _ path: String) -> ApusError {
        ApusError(.ioError, "\(path): cannot \(verb): \(String(cString: strerror(errno)))")
    }
}

/// A bounds-checked view of bytes that a file decided.
struct ByteView {
    let bytes: UnsafeRawBufferPointer
    /// The file, for messages.
    let name: String

    /// `count` bytes from `offset`, or `.badFile` naming `what` they were to be.
    func slice(_ offset: Int, _ count: Int, _ what: String) throws(ApusError) -> UnsafeRawBufferPointer {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
            throw .file("\(name): the file ends early: wanted \(count) bytes at \(offset) for \(what), "
                + "found \(Swift.max(0, bytes.count - Swift.max(0, offset)))")
        }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    /// A little-endian integer.
    func integer<I: FixedWidthInteger & UnsignedInteger>(
        _ type: I.Type, at offset: Int, _ what: String
    ) throws(ApusError) -> Int {
        let raw = try slice(offset, MemoryLayout<I>.size, what).loadUnaligned(as: I.self)
        guard let value = Int(exactly: I(littleEndian: raw)) else {
            throw .file("\(name): \(what) is \(raw), wanted at most \(Int.max)")
        }
        return value
    }

    func starts(with prefix: [UInt8]) -> Bool { bytes.starts(with: prefix) }
}
