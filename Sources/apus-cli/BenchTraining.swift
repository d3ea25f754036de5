import Apus
import ApusGraph
import ArgumentParser
import ToolSupport

struct BenchTraining: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-training",
        abstract: "Measures a training step and where its time goes.",
        discussion: """
            apus bench-training mnist-cnn --input 28,28,1 --outputs 10 --batch 32 --threads 2
            apus bench-training mlp:64,64 --input 10 --outputs 1 --batch 32 --steps 1000 --json
            apus bench-training gpt:4,128,4 --input 64 --outputs 65 --batch 12

            Trains by Adam on one batch of random samples: cross-entropy of logits, or, where there is one output, the \
            mean squared error. Samples of a gpt are tokens, and so are its targets, one for each.
            """)

    @Argument(help: "\(TrainingSetup.networks)")
    var network: String

    @Option(help: ArgumentHelp("The shape of a sample, such as 28,28,1.", valueName: "shape"))
    var input: String

    @Option(help: "How many classes, or numbers, the network tells.")
    var outputs: Int

    @Option(help: "Samples of a step.")
    var batch = 32

    @Option(help: "Threads to use; all processors by default.")
    var threads: Int?

    @Option(help: "f32, or bf16: matrix products round to bf16 and sum in f32.")
    var precision = ComputePrecision.f32

    @Option(help: "How long to measure.")
    var seconds = 2.0

    @Option(help: "How many steps to measure, instead of a time.")
    var steps: Int?

    @Option(
        name: .customLong("assert"),
        help: ArgumentHelp("A bound such as 'p99<2ms'; may be repeated. Exit code 1 if it fails.", valueName: "bound"))
    var bounds: [LatencyBound] = []

    @OptionGroup var common: CommonOptions

    func validate() throws {
        try asUsage { try TrainingSetup.checkName(ofNetwork: network) }
        try threads.map(ThreadsOption.check)
        guard seconds > 0 && seconds <= 3600 else { throw ValidationError("--seconds \(seconds), wanted 0 < … ≤ 3600") }
        if let steps, !(1...10_000_000).contains(steps) {
            throw ValidationError("--steps \(steps), wanted 1 ... 10000000")
        }
        guard (1...1_000_000).contains(outputs) else {
            throw ValidationError("--outputs \(outputs), wanted 1 ... 1000000")
        }
        guard (1...1_000_000).contains(batch) else { throw ValidationError("--batch \(batch), wanted 1 ... 1000000") }
        guard let shape else { throw ValidationError("--input '\(input)', wanted a shape such as 28,28,1") }
        guard shape.reduce(Double(batch), { $0 * Double($1) }) <= 1e9 else {
            throw ValidationError("--input \(input) by --batch \(batch), wanted at most 1000000000 values")
        }
    }

    private var shape: [Int]? {
        let parts = input.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        return parts.allSatisfy { (1...1_000_000).contains($0) } && parts.count <= 3 ? parts : nil
    }

    func run() throws {
        let console = common.console(toolName)
        let network = try TrainingSetup.network(network, input: shape!, outputs: outputs, seed: 0)
        console.progress(
            steps.map { "\(self.network): measuring \(Quantity.counted($0, "step"))" }
                ?? "\(self.network): measuring for \(Quantity.digits(seconds)) s")
        let report = try TrainingBenchmark(
            network, input: shape!, outputs: outputs, batch: batch, threads: threads ?? Processors.count,
            precision: precision, limit: steps.map { .steps($0) } ?? .seconds(seconds))
        if common.json { try console.json(report) } else { try console.result(report.text) }
        try bounds.check(report.latency, console)
    }
}
