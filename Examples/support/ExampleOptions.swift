import Apus
import ApusGraph
import ArgumentParser
import Foundation

/// The flags that every example takes.
public struct ExampleOptions: ParsableArguments {
    @Option(help: "Epochs to train; by default what the example's README says.")
    public var epochs: Int?

    @Option(help: "What weights, the order of samples and augmentation are drawn from.")
    public var seed: UInt64 = 0

    @Option(help: "Threads to train with; by default one for each processor.")
    public var threads: Int?

    @Flag(help: "Shows no progress.")
    public var quiet = false

    @Option(help: ArgumentHelp("Writes the trained network here, as an .apus file.", valueName: "path"))
    public var export: String?

    public init() {}

    public mutating func validate() throws {
        if let epochs, epochs < 1 { throw ValidationError("--epochs \(epochs), wanted 1 or more") }
        if let threads, threads < 1 { throw ValidationError("--threads \(threads), wanted 1 or more") }
    }

    public var callbacks: [any Callback] { [ProgressBar(quiet: quiet)] }

    /// Prints what the metrics say about samples that training has not seen, and exports where asked.
    public func finish(_ network: Network, test: Dataset, metrics: [any Metric] = [Accuracy()]) throws {
        let result = try network.evaluate(test, metrics: metrics, threads: threads)
        for (name, value) in zip(result.names, result.values) {
            print("test \(name) \(String(format: "%.2f", 100 * value)) %")
        }
        try exportIfAsked(network)
    }

    public func exportIfAsked(_ network: Network) throws {
        guard let export else { return }
        try network.export(to: export)
        print("wrote \(export)")
    }
}

extension Network {
    /// States in the exported file how raw samples become what the network reads.
    public func describeInput(_ normalization: Normalization, range: ClosedRange<Float>? = nil, color: String = "") throws {
        var contract = InputContract()
        contract.scale = normalization.scale
        contract.mean = normalization.mean
        contract.std = normalization.std
        if let range { contract.rawRange = range }
        contract.color = color
        if !color.isEmpty { contract.layout = "NHWC" }
        try setContract(contract)
    }
}
