import Apus
import ArgumentParser
import ExampleSupport

@main
struct CIFARCNN: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-cifar-cnn", abstract: "Trains a plain CNN on CIFAR-10.")

    @OptionGroup var options: ImageOptions

    func run() throws {
        try options.trainPlain(
            try ModelLibrary.cifarCNN(seed: options.seed), on: try options.data.cifar10(), color: "RGB", epochs: 10)
    }
}
