import Apus
import ApusGraph
import ApusRuntime
import ArgumentParser
import ToolSupport

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints functions, types, metadata, operators, costs and the arena map.")

    @Argument(help: "An .apus file.")
    var model: String

    @Flag(help: "Leave out the arena map.")
    var noMap = false

    @Option(help: "Columns of the arena map.")
    var columns = 64

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (8...1000).contains(columns) else { throw ValidationError("--columns \(columns), wanted 8 … 1000") }
    }

    func run() throws {
        let console = common.console(toolName)
        let opened = try ApusRuntime.Model(path: model)
        let report = try Inspection(opened, path: model)
        if common.json { return try console.json(report) }
        var text = report.text
        if !noMap {
            for index in opened.graph.functions.indices {
                let map = try MemoryMap(opened, function: index)
                text += "\nfunction \(opened.graph.functions[index].name.printable), at the largest dimensions: "
                text += map.text(columns: columns).split(separator: "\n").map { String($0).printable + "\n" }.joined()
            }
        }
        try console.result(text)
    }
}
