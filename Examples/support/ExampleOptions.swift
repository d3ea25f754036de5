import Apus
import ApusGraph
import ArgumentParser
import Foundation

/// The flags that every example takes.
public struct ExampleOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The folder that holds mnist/ and cifar10/.", valueName: "dir"))
    public var data = "../shared/data"

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

    @Option(help: ArgumentHelp(
        "Goes on for so many epochs as the int8 form computes, and writes that beside --export, as .int8.apus.",
        valueName: "epochs"))
    public var quantizationAware: Int?

    public init() {}

    public mutating func validate() throws {
        if let epochs, epochs < 1 { throw ValidationError("--epochs \(epochs), wanted 1 or more") }
        if let quantizationAware, quantizationAware < 1 {
            throw ValidationError("--quantization-aware \(quantizationAware), wanted 1 or more")
        }
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

    /// Where asked, trains on with quantization awareness: Adam, 10⁻⁴ down to 0; in the second half ranges and moving statistics
    /// stay.
    public func fineTune(_ network: Network, _ data: DataSets, augmentation: [Augmentation] = []) throws {
        guard let epochs = quantizationAware else { return }
        let batchSize = 64
        try network.quantizationAware(.int8)
        try network.freezeObservers(afterEpoch: (epochs + 1) / 2)
        try network.freezeBatchNorm(afterEpoch: (epochs + 1) / 2)
        let steps = epochs * ((data.training.count + batchSize - 1) / batchSize)
        let trainer = try Trainer(
            network, loss: SparseCategoricalCrossEntropy(fromLogits: true),
            optimizer: Adam(learningRate: CosineDecay(1e-4, steps: steps)), metrics: [Accuracy()], batchSize: batchSize,
            seed: seed, threads: threads)
        try trainer.fit(data.training, epochs: epochs, augmentation: augmentation, callbacks: callbacks)
        let result = try network.evaluate(data.test, metrics: [Accuracy()], threads: threads)
        print("int8 test accuracy \(String(format: "%.2f", 100 * result.values[0])) %")
        guard let export else { return }
        let path = "\(export.hasSuffix(".apus") ? String(export.dropLast(5)) : export).int8.apus"
        try network.export(to: path)
        print("wrote \(path)")
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
