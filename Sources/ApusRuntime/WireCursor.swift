import ApusGraph

/// Reads protobuf's wire format as far as record boundaries need it.
public struct WireCursor {
    let bytes: UnsafeRawBufferPointer
    public private(set) var offset: Int

    public init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        self.bytes = bytes
        self.offset = offset
    }

    public mutating func varint() throws(ApusError) -> UInt64 {
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
    public mutating func span() throws(ApusError) -> UnsafeRawBufferPointer {
        let length = try varint()
        guard length <= UInt64(bytes.count - offset) else {
            throw .file("truncated: a record of \(length) bytes at byte \(offset) of \(bytes.count)")
        }
        let start = offset
        offset += Int(length)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
    }

    public mutating func skip(_ key: UInt64) throws(ApusError) {
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
