import ApusGraph

/// The members of a zip file (PKWARE's APPNOTE 6.3): stored or deflated, also with 64-bit sizes; not encrypted, in one
/// part.
struct ZipReader {
    struct Entry {
        var name: String
        var method: Int
        var flags: Int
        var checksum: Int
        var packedSize: Int
        var size: Int
        var headerOffset: Int
    }

    private static let end = (signature: 0x0605_4b50, size: 22)
    private static let locator64 = (signature: 0x0706_4b50, size: 20)
    private static let end64 = (signature: 0x0606_4b50, size: 56)
    private static let central = (signature: 0x0201_4b50, size: 46)
    private static let local = (signature: 0x0403_4b50, size: 30)
    private static let encrypted = 1
    private static let stored = 0
    private static let deflated = 8

    private let view: ByteView
    let entries: [Entry]

    init(_ bytes: UnsafeRawBufferPointer, name: String) throws(ApusError) {
        view = ByteView(bytes: bytes, name: name)
        var (count, offset) = try Self.directory(view)
        var entries: [Entry] = []
        while count > 0 {
            entries.append(try Self.entry(view, at: &offset))
            count -= 1
        }
        try Self.bound(entries, view)
        self.entries = entries
    }

    /// Keeps a small file from naming much data: members may not share bytes, nor unpack beyond the limit.
    private static func bound(_ entries: [Entry], _ view: ByteView) throws(ApusError) {
        var packed = 0
        var unpacked = 0
        for entry in entries {
            guard entry.packedSize <= view.bytes.count - packed else {
                throw .file("\(view.name): the members overlap")
            }
            packed += entry.packedSize
            guard entry.method == stored || entry.size <= FileBytes.unpackedLimit - unpacked else {
                throw .unsupported("\(view.name): unpacks to more than \(FileBytes.unpackedLimit) bytes")
            }
            unpacked += entry.method == stored ? 0 : entry.size
        }
    }

    /// How many members the directory lists, and where it begins.
    private static func directory(_ view: ByteView) throws(ApusError) -> (count: Int, offset: Int) {
        let last = view.bytes.count - end.size
        var at = last
        while at >= 0, at >= last - Int(UInt16.max) {
            if try view.integer(UInt32.self, at: at, "the end record") == end.signature { break }
            at -= 1
        }
        guard at >= 0, at >= last - Int(UInt16.max) else {
            throw .file("\(view.name): found no zip directory, wanted a zip file")
        }
        let count = try view.integer(UInt16.self, at: at + 10, "the number of members")
        let offset = try view.integer(UInt32.self, at: at + 16, "the directory's offset")
        let locator = at - locator64.size
        guard count == UInt16.max || offset == UInt32.max, locator >= 0,
            try view.integer(UInt32.self, at: locator, "the zip64 locator") == locator64.signature
        else { return (count, offset) }
        let at64 = try view.integer(UInt64.self, at: locator + 8, "the zip64 record's offset")
        let record = ByteView(bytes: try view.slice(at64, end64.size, "the zip64 record"), name: view.name)
        guard try record.integer(UInt32.self, at: 0, "the zip64 record") == end64.signature else {
            throw .file("\(view.name): the zip64 record is broken")
        }
        return (
            try record.integer(UInt64.self, at: 32, "the number of members"),
            try record.integer(UInt64.self, at: 48, "the directory's offset")
        )
    }

    private static func entry(_ view: ByteView, at offset: inout Int) throws(ApusError) -> Entry {
        let what = "a directory entry"
        let header = ByteView(bytes: try view.slice(offset, central.size, what), name: view.name)
        guard try header.integer(UInt32.self, at: 0, what) == central.signature else {
            throw .file("\(view.name): the zip directory is broken at byte \(offset)")
        }
        let nameSize = try header.integer(UInt16.self, at: 28, what)
        let extraSize = try header.integer(UInt16.self, at: 30, what)
        let commentSize = try header.integer(UInt16.self, at: 32, what)
        let name = try view.slice(offset + central.size, nameSize, what)
        let extra = try view.slice(offset + central.size + nameSize, extraSize, what)
        var entry = Entry(
            name: String(decoding: name, as: UTF8.self),
            method: try header.integer(UInt16.self, at: 10, what),
            flags: try header.integer(UInt16.self, at: 8, what),
            checksum: try header.integer(UInt32.self, at: 16, what),
            packedSize: try header.integer(UInt32.self, at: 20, what),
            size: try header.integer(UInt32.self, at: 24, what),
            headerOffset: try header.integer(UInt32.self, at: 42, what))
        try widen(&entry, from: ByteView(bytes: extra, name: view.name))
        offset += central.size + nameSize + extraSize + commentSize
        return entry
    }

    /// Takes the 64-bit sizes from the extra field 1, which has, in this order, those that do not fit 32 bits.
    private static func widen(_ entry: inout Entry, from extra: ByteView) throws(ApusError) {
        var at = 0
        while at + 4 <= extra.bytes.count {
            let kind = try extra.integer(UInt16.self, at: at, "an extra field")
            let size = try extra.integer(UInt16.self, at: at + 2, "an extra field")
            let field = ByteView(bytes: try extra.slice(at + 4, size, "an extra field"), name: extra.name)
            at += 4 + size
            guard kind == 1 else { continue }
            var next = 0
            for path in [\Entry.size, \Entry.packedSize, \Entry.headerOffset] where entry[keyPath: path] == UInt32.max {
                entry[keyPath: path] = try field.integer(UInt64.self, at: next, "a 64-bit size")
                next += 8
            }
        }
    }

    /// Calls `body` with the unpacked and checked bytes of a member.
    func withContent<Result>(
        of entry: Entry, _ body: (UnsafeRawBufferPointer) throws(ApusError) -> Result
    ) throws(ApusError) -> Result {
        let place = "\(view.name)/\(entry.name)"
        guard entry.flags & Self.encrypted == 0 else { throw .unsupported("\(place): is encrypted") }
        let header = ByteView(bytes: try view.slice(entry.headerOffset, Self.local.size, place), name: view.name)
        guard try header.integer(UInt32.self, at: 0, place) == Self.local.signature else {
            throw .file("\(place): found no member at byte \(entry.headerOffset)")
        }
        let nameSize = try header.integer(UInt16.self, at: 26, place)
        let extraSize = try header.integer(UInt16.self, at: 28, place)
        let packed = try view.slice(
            entry.headerOffset + Self.local.size + nameSize + extraSize, entry.packedSize, place)
        switch entry.method {
        case Self.stored where entry.size == entry.packedSize:
            try check(packed, entry, place)
            return try body(packed)
        case Self.deflated where entry.size / Deflate.largestRatio <= entry.packedSize:
            let content = try TensorStorage(byteCount: entry.size)
            return try content.withBytes { bytes throws(ApusError) in
                try Deflate.inflate(packed, into: bytes, name: place)
                try check(UnsafeRawBufferPointer(bytes), entry, place)
                return try body(UnsafeRawBufferPointer(bytes))
            }
        case Self.stored, Self.deflated:
            throw .file("\(place): \(entry.packedSize) packed bytes cannot hold \(entry.size)")
        default:
            throw .unsupported("\(place): is packed by method \(entry.method), wanted 0 (stored) or 8 (deflated)")
        }
    }

    private func check(_ content: UnsafeRawBufferPointer, _ entry: Entry, _ place: String) throws(ApusError) {
        let sum = Int(Deflate.checksum(content))
        guard sum == entry.checksum else {
            throw .file("\(place): the content has CRC \(sum), wanted \(entry.checksum)")
        }
    }
}

/// Builds a zip file of members and an archive below 4 GiB, dated 1 January 1980, so that equal content is equal bytes.
struct ZipWriter {
    let name: String
    private var content: [UInt8] = []
    private var directory: [UInt8] = []
    private var count = 0

    init(name: String) { self.name = name }

    mutating func add(_ member: String, _ bytes: [UInt8], compressed: Bool) throws(ApusError) {
        let packed = try bytes.span.withUnsafeBytes { bytes throws(ApusError) in
            compressed ? try Deflate.compress(bytes, container: .none) : Array(bytes)
        }
        let total = content.count + packed.count + directory.count + 4 * (member.utf8.count + 128)
        guard total < Int(UInt32.max), bytes.count < Int(UInt32.max), member.utf8.count <= Int(UInt16.max),
            count < Int(UInt16.max) - 1
        else { throw .unsupported("\(name): the arrays need more than the 4 GiB of a plain zip file") }
        let offset = content.count
        let utf8Name = 0x0800
        var shared: [UInt8] = []
        for value in [20, utf8Name, compressed ? 8 : 0, 0, 0x21] { shared.append(value, as: UInt16.self) }
        shared.append(Int(bytes.withUnsafeBytes(Deflate.checksum)), as: UInt32.self)
        shared.append(packed.count, as: UInt32.self)
        shared.append(bytes.count, as: UInt32.self)
        shared.append(member.utf8.count, as: UInt16.self)
        shared.append(0, as: UInt16.self)

        content.append(0x0403_4b50, as: UInt32.self)
        content += shared + member.utf8 + packed

        directory.append(0x0201_4b50, as: UInt32.self)
        directory.append(20, as: UInt16.self)
        directory += shared
        for _ in 0..<3 { directory.append(0, as: UInt16.self) }
        directory.append(0, as: UInt32.self)
        directory.append(offset, as: UInt32.self)
        directory += member.utf8
        count += 1
    }

    func finished() -> [UInt8] {
        var result = content + directory
        result.append(0x0605_4b50, as: UInt32.self)
        for value in [0, 0, count, count] { result.append(value, as: UInt16.self) }
        result.append(directory.count, as: UInt32.self)
        result.append(content.count, as: UInt32.self)
        result.append(0, as: UInt16.self)
        return result
    }
}

extension [UInt8] {
    /// Appends the low bytes of `value`, little-endian.
    fileprivate mutating func append<I: FixedWidthInteger>(_ value: Int, as type: I.Type) {
        Swift.withUnsafeBytes(of: I(truncatingIfNeeded: value).littleEndian) { append(contentsOf: $0) }
    }
}
