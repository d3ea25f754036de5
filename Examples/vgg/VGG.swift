import Apus
import ApusGraph
import ArgumentParser
import ExampleSupport

@main
struct VGG: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-vgg", abstract: "Trains a network in the manner of VGG on CIFAR-10, with augmentation.")

    @OptionGroup var options: ExampleOptions

    func run() throws {
        let bytes = try options.cifar10()
        let channels = try bytes.training.normalization(scale: 1 / 255)
        let data = try bytes.normalized(by: channels)
        let epochs = options.epochs ?? 10, batchSize = 64
        let steps = epochs * ((data.training.count + batchSize - 1) / batchSize)

        let network = try ModelLibrary.vggStyle(dropout: 0.1, seed: options.seed)
        network.classNames = data.training.classNames
        network.describeInput(channels, range: 0...255, color: "RGB")
        let trainer = try Trainer(
            network, loss: SparseCategoricalCrossEntropy(fromLogits: true),
            optimizer: SGD(learningRate: OneCycle(0.05, steps: steps), momentum: 0.9, nesterov: true),
            metrics: [Accuracy()], batchSize: batchSize, seed: options.seed, threads: options.threads)
        try trainer.fit(
            data.training, epochs: epochs, augmentation: [.randomFlip, .randomCrop(padding: 4)],
            callbacks: options.callbacks)

        try options.finish(network, test: data.test)
    }
}
