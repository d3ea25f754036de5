import Apus
import ApusGraph
import ArgumentParser
import ExampleSupport

@main
struct CIFARMobileNet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-cifar-mobilenet", abstract: "Trains a network of depthwise-separable convolutions on CIFAR-10, with augmentation.")

    @OptionGroup var options: ExampleOptions

    func run() throws {
        let bytes = try options.cifar10()
        let channels = try bytes.training.normalization(scale: 1 / 255)
        let data = try bytes.normalized(by: channels)
        let epochs = options.epochs ?? 25, batchSize = 64
        let steps = epochs * ((data.training.count + batchSize - 1) / batchSize)

        let augmentation: [Augmentation] = [.randomFlip, .randomCrop(padding: 4)]
        let network = try ModelLibrary.cifarMobileNet(weightDecay: 5e-4, seed: options.seed)
        network.classNames = data.training.classNames
        network.describeInput(channels, range: 0...255, color: "RGB")
        let trainer = try Trainer(
            network, loss: SparseCategoricalCrossEntropy(fromLogits: true),
            optimizer: SGD(learningRate: OneCycle(0.2, steps: steps), momentum: 0.9, nesterov: true),
            metrics: [Accuracy()], batchSize: batchSize, seed: options.seed, threads: options.threads)
        try trainer.fit(
            data.training, epochs: epochs, augmentation: augmentation,
            callbacks: options.callbacks)

        try options.finish(network, test: data.test)
        try options.fineTune(network, data, augmentation: augmentation)
    }
}
