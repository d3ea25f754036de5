import ApusGraph
import CSystem

/// Stage 1: bytes → the header's span and the weights' span, 64-byte aligned.
///
/// Scans the top-level records only; the weights are never touched.
public final class ModelFile: Storage {
    /// Fields 1 ... 13.
    let header: UnsafeRawBufferPointer
    private let mapping: UnsafeRawBufferPointer?
    private let copy: UnsafeMutableRawPointer?

    /// Maps a file.
    public static func open(_ path: String) throws(ApusError) -> ModelFile {
        var bytes: UnsafeRawPointer?
        var size = 0
        var terminated = path + "\0"
        let error = terminated.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { cs_map_file($0.baseAddress, &bytes, &size) }
        }
        guard error == 0 else { throw ApusError(.ioError, "\(path): \(String(cString: cs_error_text(error)))") }
        let mapping = UnsafeRawBufferPointer(start: bytes, count: size)
        do throws(ApusError) {
            let spans = try scan(mapping)
            return ModelFile(header: spans.header, weights: spans.weights, mapping: mapping, copy: nil)
        } catch {
            cs_unmap(bytes, size)
            throw error.within("\(path)")
        }
    }

    /// Uses bytes in place; they outlive the file. Copies the weights when they are not 64-byte aligned.
    public static func open(bytes: UnsafeRawBufferPointer) throws(ApusError) -> ModelFile {
        let spans = try scan(bytes)
        guard Int(bitPattern: spans.weights.baseAddress) % 64 != 0, spans.weights.count > 0 else {
            return ModelFile(header: spans.header, weights: spans.weights, mapping: nil, copy: nil)
        }
        guard let copy = cs_allocate(spans.weights.count, 64) else {
            throw ApusError(.outOfMemory, "no memory for \(spans.weights.count) bytes of weights")
        }
        copy.copyMemory(from: spans.weights.baseAddress!, byteCount: spans.weights.count)
        let weights = UnsafeRawBufferPointer(start: copy, count: spans.weights.count)
        return ModelFile(header: spans.header, weights: weights, mapping: nil, copy: copy)
    }

    private init(
        header: UnsafeRawBufferPointer, weights: UnsafeRawBufferPointer, mapping: UnsafeRawBufferPointer?,
        copy: UnsafeMutableRawPointer?
    ) {
        self.header = header
        self.mapping = mapping
        self.copy = copy
        super.init(weights)
    }

    deinit {
        if let mapping { cs_unmap(mapping.baseAddress, mapping.count) }
        cs_free(copy)
    }

    private static let signature: [UInt8] = [0x0A, 4, 0x41, 0x50, 0x55, 0x53]
    /// Signature and checksum records.
    private static let prefixSize = 11

    private static func scan(
        _ file: UnsafeRawBufferPointer
    ) throws(ApusError) -> (header: UnsafeRawBufferPointer, weights: UnsafeRawBufferPointer) {
        guard file.count >= prefixSize, file[..<6].elementsEqual(signature), file[6] == 0x15 else {
            throw .file("not an .apus file")
        }
        var cursor = WireCursor(file, at: prefixSize)
        var headerEnd = 0
        while headerEnd == 0 {
            let start = cursor.offset
            try FileLimits.check(start, FileLimits.header, "bytes without a weights record")
            guard start < file.count else { throw .file("truncated: \(file.count) bytes and no weights record") }
            let key = try cursor.varint()
            switch key {
            case 14 << 3 | 2:
                headerEnd = start
                _ = try cursor.span()
                guard try cursor.varint() == 15 << 3 | 2 else { throw .file("padding that weights do not follow") }
            case 15 << 3 | 2:
                headerEnd = start
            default:
                try cursor.skip(key)
            }
        }
        let weights = try cursor.span()
        guard cursor.offset == file.count else {
            throw .file("\(file.count - cursor.offset) bytes after the weights, wanted none")
        }
        try FileLimits.check(headerEnd, FileLimits.header, "bytes of header")
        guard (file.count - weights.count) % 64 == 0 else {
            throw .file("weights at byte \(file.count - weights.count), wanted a multiple of 64")
        }
        let header = UnsafeRawBufferPointer(rebasing: file[..<headerEnd])
        let stored = UInt32(header[7]) | UInt32(header[8]) << 8 | UInt32(header[9]) << 16 | UInt32(header[10]) << 24
        let found = cs_crc32(0, header.baseAddress! + prefixSize, headerEnd - prefixSize)
        guard stored == found else { throw .file("header checksum \(found), wanted \(stored)") }
        return (header, weights)
    }
}

/// Reads protobuf's wire format as far as record boundaries need it.
struct WireCursor {
    let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        self.bytes = bytes
        self.offset = offset
    }

    mutating func varint() throws(ApusError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            guard offset < bytes.count else { throw .file("truncated at byte \(offset)") }
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .file("a number of more than 64 bits at byte \(offset)")
    }

    /// A length-delimited payload.
    mutating func span() throws(ApusError) -> UnsafeRawBufferPointer {
        let length = try varint()
        guard length <= UInt64(bytes.count - offset) else {
            throw .file("truncated: a record of \(length) bytes at byte \(offset) of \(bytes.count)")
        }
        let start = offset
        offset += Int(length)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
    }

    mutating func skip(_ key: UInt64) throws(ApusError) {
        guard key >> 3 >= 1 && key >> 3 < 1 << 29 else { throw .file("field number \(key >> 3) at byte \(offset)") }
        switch key & 7 {
        case 0: _ = try varint()
        case 1: try advance(8)
        case 2: _ = try span()
        case 5: try advance(4)
        default: throw .file("wire type \(key & 7) at byte \(offset)")
        }
    }

    private mutating func advance(_ count: Int) throws(ApusError) {
        guard count <= bytes.count - offset else { throw .file("truncated at byte \(offset)") }
        offset += count
    }
}
