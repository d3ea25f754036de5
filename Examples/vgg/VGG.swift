import Apus
import ArgumentParser
import ExampleSupport

@main
struct VGG: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-vgg", abstract: "Trains a network in the manner of VGG on CIFAR-10, with augmentation.")

    @OptionGroup var options: ImageOptions

    func run() throws {
        let network = try ModelLibrary.vggStyle(dropout: 0.1, seed: options.seed)
        try options.trainAugmented(network, rate: 0.05, epochs: 10)
    }
}
