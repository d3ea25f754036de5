import Apus
import ApusGraph
import Foundation

/// Where a tool writes: results to standard output, progress and errors to standard error.
public struct Console: Sendable {
    public let tool: String
    public let isQuiet: Bool

    public init(_ tool: String, quiet: Bool = false) {
        self.tool = tool
        isQuiet = quiet
    }

    /// Writes results. Throws when standard output takes no more, such as a file on a full disk.
    public func result(_ text: String) throws(ApusError) {
        guard Console.write(text, to: STDOUT_FILENO) else {
            throw ApusError(.ioError, "standard output: \(String(cString: strerror(errno)))")
        }
    }

    /// A value as JSON: keys sorted, numbers that are not finite as text.
    public func json(_ value: some Encodable) throws(ApusError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = Console.nonConformingFloats
        guard let data = try? encoder.encode(value) else { throw .unsupported("a result that JSON cannot hold") }
        try result(String(decoding: data, as: UTF8.self) + "\n")
    }

    /// Numbers that are not finite, as text.
    public static var nonConformingFloats: JSONEncoder.NonConformingFloatEncodingStrategy {
        .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    }

    /// Writes a line of progress, unless quiet.
    public func progress(_ text: String) {
        if !isQuiet { _ = Console.write(text + "\n", to: STDERR_FILENO) }
    }

    /// Writes an error as one line and returns the exit code for it.
    public func report(_ error: ApusError) -> ToolExit {
        complain(error.message)
        return ToolExit(error)
    }

    /// One line on standard error, quiet or not: "tool: message".
    public func complain(_ message: String) {
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ").printable
        _ = Console.write("\(tool): \(line)\n", to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

/// How a tool ends.
public enum ToolExit: Int32, Sendable {
    case success = 0
    /// The tool or the system could not do it, or a check that was asked for failed.
    case failure = 1
    /// What was given cannot be used: a broken file, a shape that does not fit, an unknown name.
    case unusableInput = 2
    case usage = 64

    public init(_ error: ApusError) {
        self =
            switch error.code {
            case .ioError, .outOfMemory, .threadError: .failure
            case .invalidArgument, .badFile, .unsupported, .badShape, .notReady: .unusableInput
            }
    }
}
