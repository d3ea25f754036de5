/// What went wrong, in one line: the thing, the value found and the value wanted.
public struct ApusError: Error, Sendable {
    /// The raw values are those of `apus_status`.
    public enum Code: Int32, Sendable {
        case invalidArgument = 1
        case ioError
        case badFile
        case unsupported
        case badShape
        case outOfMemory
        case notReady
        case threadError
    }

    public var code: Code
    public var message: String

    @inline(never)
    public init(_ code: Code, _ message: Message) {
        self.code = code
        self.message = message.text
    }

    @inline(never)
    public static func shape(_ message: Message) -> ApusError { ApusError(.badShape, message) }
    @inline(never)
    public static func file(_ message: Message) -> ApusError { ApusError(.badFile, message) }
    @inline(never)
    public static func unsupported(_ message: Message) -> ApusError { ApusError(.unsupported, message) }
    @inline(never)
    public static func argument(_ message: Message) -> ApusError { ApusError(.invalidArgument, message) }

    /// The same error with its place named in front.
    @inline(never)
    public func within(_ place: Message) -> ApusError { ApusError(code, "\(place): \(message)") }
}

extension ApusError: CustomStringConvertible {
    public var description: String { message }
}

extension String {
    /// The UTF-8 bytes, which lie together in every string that is made here.
    @inline(never)
    public func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        utf8.withContiguousStorageIfAvailable(body) ?? body(UnsafeBufferPointer(start: nil, count: 0))
    }

    /// Equality of the UTF-8 bytes; unlike `==` it needs no Unicode tables.
    public func sameBytes(_ other: String) -> Bool {
        withBytes { a in
            other.withBytes { b in
                guard a.count == b.count else { return false }
                for i in 0..<a.count where a[i] != b[i] { return false }
                return true
            }
        }
    }
}
