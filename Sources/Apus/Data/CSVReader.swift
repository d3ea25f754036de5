import ApusGraph

/// Rows of fields (RFC 4180): fields may stand in double quotes, in which a doubled quote is one quote and separators
/// and line ends are text. Lines end in LF or CRLF; empty lines and a byte-order mark at the start are skipped.
struct CSVReader {
    private let bytes: UnsafeRawBufferPointer
    private let name: String
    private let separator: UInt8
    private var position = 0
    private var nextLine = 1

    /// The fields of the row last read, and the line it began on, from 1.
    private(set) var fields: [String] = []
    private(set) var line = 0

    init(_ bytes: UnsafeRawBufferPointer, separator: UInt8, name: String) {
        self.bytes = bytes
        self.name = name
        self.separator = separator
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// Reads the next row; false at the end.
    mutating func next() throws(ApusError) -> Bool {
        while position < bytes.count, let end = lineEnd(at: position) {
            position = end
            nextLine += 1
        }
        guard position < bytes.count else { return false }
        line = nextLine
        fields.removeAll(keepingCapacity: true)
        while true {
            fields.append(try startsQuoted ? quotedField() : plainField())
            if position == bytes.count { return true }
            if let end = lineEnd(at: position) {
                position = end
                nextLine += 1
                return true
            }
            guard bytes[position] == separator else {
                throw .file("\(name):\(nextLine): found text after a closing quote, wanted a separator or a line end")
            }
            position += 1
        }
    }

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    private var startsQuoted: Bool { position < bytes.count && bytes[position] == Self.quote }

    /// The position after a line end at `start`, if there is one.
    private func lineEnd(at start: Int) -> Int? {
        if bytes[start] == Self.lineFeed { return start + 1 }
        guard bytes[start] == Self.carriageReturn else { return nil }
        if start + 1 == bytes.count { return start + 1 }
        return bytes[start + 1] == Self.lineFeed ? start + 2 : nil
    }

    private mutating func plainField() -> String {
        let start = position
        while position < bytes.count, bytes[position] != separator, lineEnd(at: position) == nil { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func quotedField() throws(ApusError) -> String {
        var text: [UInt8] = []
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == Self.quote {
                guard position < bytes.count, bytes[position] == Self.quote else {
                    return String(decoding: text, as: UTF8.self)
                }
                position += 1
            } else if byte == Self.lineFeed {
                nextLine += 1
            }
            text.append(byte)
        }
        throw .file("\(name):\(line): a quoted field does not end")
    }
}
