import Apus
import ApusGraph
import ApusRuntime
import ArgumentParser
import CKernels
import CSystem
import ToolSupport

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks the weights' hash and replays the golden pairs on this machine.",
        discussion: "Exit code 1 where an answer differs; the first operator that differs is named.")

    @Argument(help: "An .apus file.")
    var model: String

    @OptionGroup var threading: ThreadsOption

    @OptionGroup var common: CommonOptions

    func run() throws {
        let console = common.console(toolName)
        let opened = try ApusRuntime.Model(path: model)
        let report = try Verification(opened, path: model, threads: threading.threads)
        if common.json { try console.json(report) } else { try console.result(report.text) }
        if let failure = report.failure {
            console.complain("\(model): \(failure)")
            throw ExitCode(.failure)
        }
    }
}

/// Whether a file is what its producer wrote, and computes here what it computed there.
struct Verification: Encodable {
    struct Pair: Encodable {
        let function: String
        let output: String
        let agrees: Bool
        let absolute: Double
        let relative: Double
    }

    let isa: String
    let weightsHash: String
    let hashMatches: Bool
    private(set) var pairs: [Pair] = []
    /// Why the file fails; nil when it does not.
    private(set) var failure: String?

    init(_ model: ApusRuntime.Model, path: String, threads: Int) throws(ApusError) {
        isa = InstructionSet.name(InstructionSet.selected)
        let hash = try WeightsHash(path)
        weightsHash = hash.found
        hashMatches = hash.matches
        if !hashMatches { failure = "the weights' SHA-256 is \(hash.found), wanted \(hash.stored)" }
        for (i, golden) in model.graph.goldens.enumerated() { try replay(golden, i, model, threads) }
    }

    private mutating func replay(
        _ golden: Golden, _ index: Int, _ model: ApusRuntime.Model, _ threads: Int
    ) throws(ApusError) {
        let function = model.graph.functions[golden.function]
        for (new, old) in zip(try Goldens.replay(golden, of: model.graph, threads: threads), golden.outputs) {
            let (found, wanted) = (try Tensor(new), try Tensor(old))
            let difference = try Difference(found, wanted)
            let agrees = try Difference.agree(
                found, wanted, relative: Double(golden.relativeTolerance), absolute: Double(golden.absoluteTolerance))
            pairs.append(
                Pair(
                    function: function.name, output: old.name, agrees: agrees, absolute: difference.absolute,
                    relative: difference.relative))
            guard !agrees && failure == nil else { continue }
            failure = "golden pair \(index), output '\(old.name)': \(Quantity.digits(difference.found)) at "
                + "\(difference.index), wanted \(Quantity.digits(difference.wanted)); "
                + (try firstDifference(golden, model, threads))
        }
    }

    /// The reference kernels against those chosen here, value by value.
    private func firstDifference(
        _ golden: Golden, _ model: ApusRuntime.Model, _ threads: Int
    ) throws(ApusError) -> String {
        var inputs: [Tensor] = []
        for input in golden.realInputs(model.graph) { inputs.append(try Tensor(input)) }
        let here = try Probe(
            model.graph, function: golden.function, dimensions: golden.dimensions, inputs: inputs, threads: threads)
        let reference = try Probe(
            model.graph, function: golden.function, dimensions: golden.dimensions, inputs: inputs,
            isa: CK_ISA_REFERENCE)
        guard let first = try here.firstDifference(from: reference, relative: 1e-3, scaled: 1e-4) else {
            return "every operator agrees with the reference kernels: the file's weights or its pair have changed"
        }
        return "first operator that differs from the reference kernels: '\(first.value.node)' "
            + "(\(first.value.operation)), \(Quantity.digits(first.difference.found)) at \(first.difference.index), "
            + "wanted \(Quantity.digits(first.difference.wanted))"
    }

    var text: String {
        var text = "weights SHA-256 \(weightsHash): \(hashMatches ? "as stored" : "NOT as stored")\n"
        if pairs.isEmpty { return text + "no golden pairs\n" }
        var table = TextTable("function", "output", ">max difference", ">relative", "\(isa)")
        for pair in pairs {
            table.add(
                pair.function, pair.output, Quantity.digits(pair.absolute), Quantity.digits(pair.relative),
                pair.agrees ? "agrees" : "DIFFERS")
        }
        text += table.text
        return text
    }
}
