import Apus
import ApusGraph
import ArgumentParser
import ExampleSupport

@main
struct CIFARCNN: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-cifar-cnn", abstract: "Trains a plain CNN on CIFAR-10.")

    @OptionGroup var options: ExampleOptions

    func run() throws {
        let pixels = Normalization(scale: 1 / 255)
        let data = try options.cifar10().normalized(by: pixels)

        let network = try ModelLibrary.cifarCNN(seed: options.seed)
        network.classNames = data.training.classNames
        network.describeInput(pixels, range: 0...255, color: "RGB")
        let trainer = try Trainer(
            network, loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: Adam(), metrics: [Accuracy()],
            batchSize: 32, seed: options.seed, threads: options.threads)
        try trainer.fit(data.training, epochs: options.epochs ?? 10, callbacks: options.callbacks)

        try options.finish(network, test: data.test)
        try options.fineTune(network, data)
    }
}
