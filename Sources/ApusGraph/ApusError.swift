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
    public func within(_ place: Message) -> ApusError { ApusError(code, "\(place.text): \(message)") }
}

extension ApusError: CustomStringConvertible {
    public var description: String { message }
}

extension String {
    /// Equality of the UTF-8 bytes; unlike `==` it needs no Unicode tables.
    public func sameBytes(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
