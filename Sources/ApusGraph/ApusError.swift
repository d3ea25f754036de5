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

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public static func shape(_ message: String) -> ApusError { ApusError(.badShape, message) }
    public static func file(_ message: String) -> ApusError { ApusError(.badFile, message) }
    public static func unsupported(_ message: String) -> ApusError { ApusError(.unsupported, message) }
    public static func argument(_ message: String) -> ApusError { ApusError(.invalidArgument, message) }

    /// The same error with its place named in front.
    public func within(_ place: String) -> ApusError { ApusError(code, place + ": " + message) }
}

extension ApusError: CustomStringConvertible {
    public var description: String { message }
}

extension String {
    /// Equality of the UTF-8 bytes; unlike `==` it needs no Unicode tables.
    public func sameBytes(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
