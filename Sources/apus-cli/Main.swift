import Apus
import ArgumentParser
import ToolSupport

@main
enum Main {
    static func main() { Tool.main(ApusCommand.self) }
}

struct ApusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Trains networks; runs, measures and checks .apus models.",
        discussion: """
            Results go to standard output, progress and errors to standard error.
            Exit codes: 0 done, 1 the system or a check failed, 2 the input cannot be used, 64 wrong usage.
            """,
        version: ApusVersion.text,
        subcommands: [
            Train.self, Evaluate.self, Run.self, Generate.self, Inspect.self, Bench.self, BenchTraining.self, Verify.self,
            Compare.self, Tokenize.self,
        ])
}

/// The name that starts every line on standard error.
let toolName = "apus"
