import Apus
import ApusGraph
import ArgumentParser
import Foundation

/// Where data are that are not bundled.
public struct DataOptions: ParsableArguments {
    @Option(name: .customLong("data"), help: ArgumentHelp("The folder that holds mnist/, cifar10/ and text/.", valueName: "dir"))
    public var folder = "../shared/data"

    public init() {}
}

/// The flags of the examples on MNIST and CIFAR-10.
public struct ImageOptions: ParsableArguments {
    @OptionGroup public var data: DataOptions

    @OptionGroup public var common: ExampleOptions

    @Option(help: ArgumentHelp(
        "Goes on for so many epochs as the int8 form computes, and writes that beside --export, as .int8.apus.",
        valueName: "epochs"))
    public var quantizationAware: Int?

    public var seed: UInt64 { common.seed }

    public init() {}

    public mutating func validate() throws {
        if let quantizationAware, quantizationAware < 1 {
            throw ValidationError("--quantization-aware \(quantizationAware), wanted 1 or more")
        }
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
            seed: common.seed, threads: common.threads)
        try trainer.fit(data.training, epochs: epochs, augmentation: augmentation, callbacks: common.callbacks)
        let result = try network.evaluate(data.test, metrics: [Accuracy()], threads: common.threads)
        print("int8 test accuracy \(String(format: "%.2f", 100 * result.values[0])) %")
        guard let export = common.export else { return }
        let path = "\(export.hasSuffix(".apus") ? String(export.dropLast(5)) : export).int8.apus"
        try network.export(to: path)
        print("wrote \(path)")
    }
}
