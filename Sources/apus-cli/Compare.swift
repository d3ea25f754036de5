import Apus
import ApusGraph
import ApusRuntime
import ArgumentParser
import ToolSupport

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs two models on the same inputs and says how far apart they are.",
        discussion: "apus compare a.apus b.apus --inputs x.npz --tolerance 1e-3")

    @Argument(help: "An .apus file.")
    var a: String

    @Argument(help: "Another one with the same inputs and outputs.")
    var b: String

    @Option(help: ArgumentHelp("Inputs as for run; random ones by default.", valueName: "file"))
    var inputs: [String] = []

    @Option(help: "The function to run; the first by default.")
    var function: String?

    @Option(help: "Exit with 1 where an output differs by more than this part of its largest value.")
    var tolerance: Double?

    @Option(help: "The seed of random inputs.")
    var seed: UInt64 = 0

    @OptionGroup var common: CommonOptions

    func run() throws {
        let console = common.console(toolName)
        let (first, second) = (try ApusRuntime.Model(path: a), try ApusRuntime.Model(path: b))
        let index = try first.graph.function(named: function)
        let name = first.graph.functions[index].name
        guard let other = second.graph.functionIndex(name) else {
            throw ApusError.argument("\(b): no function '\(name)', which \(a) has")
        }
        let dimensions = first.graph.dimensions.map { min($0.maximum, max($0.minimum, 8)) }
        let tensors =
            inputs.isEmpty
            ? try Goldens.randomInputs(of: first.graph, function: index, dimensions: dimensions, seed: seed)
            : try ModelInputs.read(inputs, for: first.graph.functions[index])
        let report: Comparison
        do throws(ApusError) {
            report = try Comparison(first, index, second, other, tensors)
        } catch {
            throw error.within("\(a) and \(b)")
        }
        if common.json { try console.json(report) } else { try console.result(report.text) }
        if let tolerance, let worst = report.outputs.first(where: { !($0.scaled <= tolerance) }) {
            console.complain(
                "output '\(worst.name)' differs by \(Quantity.digits(worst.scaled)) of its largest value, wanted at most "
                    + Quantity.digits(tolerance))
            throw ExitCode(.failure)
        }
    }
}

/// What two functions made of the same inputs.
struct Comparison: Encodable {
    struct Output: Encodable {
        let name: String
        let absolute: Double
        let relative: Double
        /// The absolute difference over the largest value of the first.
        let scaled: Double
        let rows: Int
        /// Rows whose largest element is the same one.
        let agreeingRows: Int
    }

    private(set) var outputs: [Output] = []
    /// Whether the two run the same operators on the same shapes, in the same order.
    let isAlike: Bool
    private(set) var firstDifference: String?

    init(
        _ a: ApusRuntime.Model, _ f: Int, _ b: ApusRuntime.Model, _ g: Int, _ inputs: [Tensor]
    ) throws(ApusError) {
        let x = try ModelRun(a, function: f).outputs(inputs), y = try ModelRun(b, function: g).outputs(inputs)
        guard x.count == y.count else { throw .shape("\(x.count) and \(y.count) outputs, wanted as many") }
        for (old, new) in zip(x, y) {
            let difference = try Difference(new.tensor, old.tensor)
            let largest = try old.tensor.doubles().reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
            outputs.append(
                Output(
                    name: old.name, absolute: difference.absolute, relative: difference.relative,
                    scaled: difference.nonFinite > 0 ? .infinity : difference.absolute / max(largest, 1e-30),
                    rows: difference.rows, agreeingRows: difference.agreeingRows))
        }
        let limits = zip(a.graph.maxima, b.graph.maxima).map { min($0, $1) }
        let samples = inputs.first?.rowCount ?? 1
        let part = a.graph.dimensions.isEmpty ? samples : min(samples, limits.min() ?? samples)
        var batch: [Tensor] = []
        for input in inputs { batch.append(input.shape.first == samples ? try input.rows(0..<part) : input) }
        let p = try Probe(
            a.graph, function: f, dimensions: try a.graph.dimensions(ofFunction: f, inputs: batch), inputs: batch)
        let q = try Probe(
            b.graph, function: g, dimensions: try b.graph.dimensions(ofFunction: g, inputs: batch), inputs: batch)
        isAlike = p.values.count == q.values.count
            && zip(p.values, q.values).allSatisfy { $0.operation == $1.operation && $0.tensor.shape == $1.tensor.shape }
        if isAlike, let first = try q.firstDifference(from: p, relative: 0, scaled: 0) {
            firstDifference = "'\(first.value.node)' (\(first.value.operation)), by "
                + "\(Quantity.digits(first.difference.absolute)) at most"
        }
    }

    var text: String {
        var table = TextTable("output", ">max difference", ">relative", ">same argmax")
        for output in outputs {
            table.add(
                output.name, Quantity.digits(output.absolute), Quantity.digits(output.relative),
                "\(output.agreeingRows)/\(output.rows)")
        }
        if !isAlike { return table.text + "the graphs differ in their operators\n" }
        return table.text + (firstDifference.map { "first operator that differs: \($0)\n" } ?? "every value is the same\n")
    }
}
