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
    public static func open(_ path: UnsafePointer<CChar>) throws(ApusError) -> ModelFile {
        var bytes: UnsafeRawPointer?
        var size = 0
        let error = cs_map_file(path, &bytes, &size)
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
