import ArgumentParser
import ApusGraph
import ApusRuntime
import Foundation

/// The command line of one tool. Every failure is one line on standard error and an exit code of `ToolExit`.
public enum Tool {
    /// The command whose help says more: the subcommand that was called, or the tool.
    private static func helpful<Root: ParsableCommand>(_ root: Root.Type, _ name: String) -> String {
        let called = CommandLine.arguments.dropFirst().first
        let isSubcommand = Root.configuration.subcommands.contains { $0._commandName == called }
        return isSubcommand ? "\(name) \(called!)" : name
    }

    /// Parses the arguments, runs the command and exits.
    public static func main<Root: ParsableCommand>(_ root: Root.Type) -> Never {
        let name = Root.configuration.commandName ?? "apus"
        // A file beyond the limit of its size fails like one on a full disk, and leaves no piece.
        signal(SIGXFSZ, SIG_IGN)
        do {
            var command = try Root.parseAsRoot()
            try requireOneOutput()
            try requireKnownInstructionSet()
            try command.run()
            exit(ToolExit.success.rawValue)
        } catch let error as ApusError {
            exit(Console(name).report(error).rawValue)
        } catch let code as ExitCode {
            exit(code.rawValue)
        } catch {
            let code = Root.exitCode(for: error)
            // Help and version are asked for; all else is a mistake on the command line.
            if code.isSuccess { Root.exit(withError: error) }
            Console(name).complain(Root.message(for: error) + "; see \(helpful(Root.self, name)) --help")
            exit(code.rawValue)
        }
    }
}

/// Of two files to write the parser would drop the first.
private func requireOneOutput() throws {
    let arguments = CommandLine.arguments.prefix { $0 != "--" }
    let count = arguments.count { $0 == "-o" || $0 == "--output" || $0.hasPrefix("--output=") }
    guard count <= 1 else { throw ValidationError("\(count) times '--output', wanted one file") }
}

/// The library takes what the processor has where APUS_ISA names nothing; a person meant something by it.
private func requireKnownInstructionSet() throws(ApusError) {
    guard let name = ProcessInfo.processInfo.environment["APUS_ISA"], !name.isEmpty else { return }
    let names = InstructionSet.all.map { InstructionSet.name($0) }
    guard names.contains(name) else {
        throw .argument("APUS_ISA is '\(name)', wanted one of \(names.joined(separator: ", "))")
    }
}

/// What every command takes.
public struct CommonOptions: ParsableArguments {
    @Flag(help: "Results as JSON.")
    public var json = false

    @Flag(help: "No progress on standard error.")
    public var quiet = false

    public init() {}

    public func console(_ tool: String) -> Console { Console(tool, quiet: quiet) }
}

extension ExitCode {
    public init(_ exit: ToolExit) { self.init(exit.rawValue) }
}
