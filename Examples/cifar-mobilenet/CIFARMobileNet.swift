import Apus
import ArgumentParser
import ExampleSupport

@main
struct CIFARMobileNet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-cifar-mobilenet", abstract: "Trains a network of depthwise-separable convolutions on CIFAR-10, with augmentation.")

    @OptionGroup var options: ImageOptions

    func run() throws {
        let network = try ModelLibrary.cifarMobileNet(weightDecay: 5e-4, seed: options.seed)
        try options.trainAugmented(network, rate: 0.2, epochs: 25)
    }
}
