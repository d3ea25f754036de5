import Apus
import ApusGraph
import ApusRuntime
import ArgumentParser
import Foundation
import ToolSupport

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures latency and where it goes.",
        discussion: "apus bench model.apus --threads 4 --assert 'p99<2ms'")

    @Argument(help: "An .apus file.")
    var model: String

    @Option(help: "The function to run; the first by default.")
    var function: String?

    @OptionGroup var threading: ThreadsOption

    @Option(help: "The value of every symbolic dimension; the smallest by default.")
    var batch: Int?

    @Option(help: "How long to measure.")
    var seconds = 2.0

    @Option(
        name: .customLong("assert"),
        help: ArgumentHelp("A bound such as 'p99<2ms'; may be repeated. Exit code 1 if it fails.", valueName: "bound"))
    var bounds: [LatencyBound] = []

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard seconds > 0 && seconds <= 3600 else { throw ValidationError("--seconds \(seconds), wanted 0 < … ≤ 3600") }
    }

    func run() throws {
        let console = common.console(toolName)
        let opened = try ApusRuntime.Model(path: model)
        let index = try opened.graph.function(named: function)
        for symbol in opened.graph.dimensions {
            guard let batch, !(symbol.minimum...symbol.maximum).contains(batch) else { continue }
            throw ApusError.argument(
                "\(model): \(symbol.name) of \(batch), wanted \(symbol.minimum) ... \(symbol.maximum)")
        }
        let dimensions = opened.graph.dimensions.map { batch ?? $0.minimum }
        let inputs = try Goldens.randomInputs(of: opened.graph, function: index, dimensions: dimensions)
        console.progress("\(model): measuring for \(Quantity.digits(seconds)) s")
        let report = try Benchmark(
            opened, function: index, dimensions: dimensions, inputs, threads: threading.threads, seconds: seconds)
        if common.json { try console.json(report) } else { try console.result(report.text) }
        try bounds.check(report.latency, console)
    }
}

extension [LatencyBound] {
    /// Names the first that does not hold, and ends the tool with exit code 1.
    func check(_ latency: Benchmark.Latency, _ console: Console) throws {
        guard let broken = first(where: { !$0.holds(latency) }) else { return }
        console.complain("\(broken.text) does not hold: \(Quantity.seconds(broken.value(latency)))")
        throw ExitCode(.failure)
    }
}

/// "p99<2ms": a percentile, "mean", "min" or "max"; < or <=; a number; ns, us, ms or s.
struct LatencyBound: ExpressibleByArgument {
    let text: String
    private let quantity: String
    private let isStrict: Bool
    private let limit: Double

    static let quantities = ["p50", "p90", "p99", "mean", "min", "max"]
    private static let units = [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)]

    init?(argument: String) {
        text = argument
        let compact = argument.filter { $0 != " " }
        guard let quantity = LatencyBound.quantities.first(where: { compact.hasPrefix($0 + "<") }) else { return nil }
        self.quantity = quantity
        var rest = compact.dropFirst(quantity.count + 1)
        isStrict = !rest.hasPrefix("=")
        if !isStrict { rest = rest.dropFirst() }
        guard let unit = LatencyBound.units.first(where: { rest.hasSuffix($0.0) }),
            let number = Double(rest.dropLast(unit.0.count)), number >= 0
        else { return nil }
        limit = number * unit.1
    }

    func value(_ latency: Benchmark.Latency) -> Double {
        switch quantity {
        case "p50": latency.p50
        case "p90": latency.p90
        case "p99": latency.p99
        case "mean": latency.mean
        case "min": latency.min
        default: latency.max
        }
    }

    func holds(_ latency: Benchmark.Latency) -> Bool {
        isStrict ? value(latency) < limit : value(latency) <= limit
    }
}
