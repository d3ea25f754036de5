import Apus
import ArgumentParser
import ExampleSupport

@main
struct CIFARResNet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-cifar-resnet", abstract: "Trains a residual network on CIFAR-10, with augmentation.")

    @OptionGroup var options: ImageOptions

    func run() throws {
        let network = try ModelLibrary.cifarResNet(weightDecay: 5e-4, seed: options.seed)
        try options.trainAugmented(network, rate: 0.2, epochs: 25)
    }
}
