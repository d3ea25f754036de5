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

    func validate() throws {
        if let tolerance, !(tolerance >= 0) { throw ValidationError("--tolerance \(tolerance), wanted 0 or more") }
    }

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
        if let tolerance, let complaint = report.outputs.complaint(beyond: tolerance) {
            console.complain(complaint)
            throw ExitCode(.failure)
        }
    }
}

/// What two functions made of the same inputs.
struct Comparison: Encodable {
    let outputs: [OutputDifference]
    /// Whether the two run the same operators on the same shapes, in the same order.
    let isAlike: Bool
    private(set) var firstDifference: String?

    init(
        _ a: ApusRuntime.Model, _ f: Int, _ b: ApusRuntime.Model, _ g: Int, _ inputs: [Tensor]
    ) throws(ApusError) {
        outputs = try OutputDifference.between(
            try ModelRun(b, function: g).outputs(inputs), try ModelRun(a, function: f).outputs(inputs))
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
        var table = TextTable("output", ">max difference", ">of largest", ">same argmax")
        for output in outputs {
            table.add(
                output.name, Quantity.digits(output.absolute), Quantity.digits(output.scaled),
                "\(output.agreeingRows)/\(output.rows)")
        }
        if !isAlike { return table.text + "the graphs differ in their operators\n" }
        let difference = firstDifference.map { "first operator that differs: \($0)".printable + "\n" }
        return table.text + (difference ?? "every value is the same\n")
    }
}
