import ApusGraph
import ApusRuntime
import CSystem
import Foundation

/// The bytes of an ONNX file, split into the message without its initializers, which protobuf-c decodes, and the
/// initializers, which may be large and stay where they are.
final class OnnxFile: Storage {
    /// Where the file lies: external data must be in this folder or below.
    let folder: URL
    /// The model without the initializers of its graph.
    private(set) var message: [UInt8] = []
    /// The initializers of the graph, in order.
    private(set) var initializers: [UnsafeRawBufferPointer] = []
    private let isMapped: Bool

    /// Maps a file.
    static func open(_ path: String) throws(ApusError) -> OnnxFile {
        var bytes: UnsafeRawPointer?
        var size = 0
        let error = cs_map_file(path, &bytes, &size)
        guard error == 0 else { throw ApusError(.ioError, "\(path): \(String(cString: cs_error_text(error)))") }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        let file = OnnxFile(UnsafeRawBufferPointer(start: bytes, count: size), folder, isMapped: true)
        try file.split()
        return file
    }

    /// Uses bytes in place, which must outlive the file.
    static func open(bytes: UnsafeRawBufferPointer, folder: URL) throws(ApusError) -> OnnxFile {
        let file = OnnxFile(bytes, folder, isMapped: false)
        try file.split()
        return file
    }

    private init(_ bytes: UnsafeRawBufferPointer, _ folder: URL, isMapped: Bool) {
        self.folder = folder
        self.isMapped = isMapped
        super.init(bytes)
    }

    deinit { if isMapped { cs_unmap(bytes.baseAddress, bytes.count) } }

    private static let graphField: UInt64 = 7
    private static let initializerField: UInt64 = 5

    private func split() throws(ApusError) {
        var graph: UnsafeRawBufferPointer?
        do throws(ApusError) {
            message = try OnnxFile.copy(bytes, without: OnnxFile.graphField) { span throws(ApusError) in
                guard graph == nil else { throw .file("two graphs, wanted one") }
                graph = span
            }
        } catch {
            throw error.within("not an ONNX model, or a broken one")
        }
        guard let graph else { throw .file("no graph: not an ONNX model") }
        let rest = try OnnxFile.copy(graph, without: OnnxFile.initializerField) { span throws(ApusError) in
            self.initializers.append(span)
        }
        message.append(UInt8(OnnxFile.graphField << 3 | 2))
        message.appendVarint(UInt64(rest.count))
        message += rest
    }

    /// The records of a message but those of one length-delimited field, whose payloads go to `take`.
    private static func copy(
        _ bytes: UnsafeRawBufferPointer, without field: UInt64,
        take: (UnsafeRawBufferPointer) throws(ApusError) -> Void
    ) throws(ApusError) -> [UInt8] {
        var rest: [UInt8] = []
        var cursor = WireCursor(bytes, at: 0)
        while cursor.offset < bytes.count {
            let start = cursor.offset
            let key = try cursor.varint()
            if key == field << 3 | 2 {
                try take(try cursor.span())
            } else {
                try cursor.skip(key)
                rest += bytes[start..<cursor.offset]
            }
        }
        return rest
    }
}

extension [UInt8] {
    mutating func appendVarint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        append(UInt8(value))
    }
}
