import ApusRuntime
import ArgumentParser

/// How many threads a command uses.
public struct ThreadsOption: ParsableArguments {
    @Option(help: "Threads to use.")
    public var threads = 1

    public init() {}

    public func validate() throws { try ThreadsOption.check(threads) }

    /// Throws for a number that no session takes.
    public static func check(_ threads: Int) throws {
        guard (1...SessionOptions.maximumThreads).contains(threads) else {
            throw ValidationError("--threads \(threads), wanted 1 ... \(SessionOptions.maximumThreads)")
        }
    }
}
