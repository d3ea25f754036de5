import Apus
import ArgumentParser
import ExampleSupport

@main
struct MNISTCNN: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-mnist-cnn", abstract: "Trains a CNN on MNIST.")

    @OptionGroup var options: ImageOptions

    func run() throws {
        try options.trainPlain(
            try ModelLibrary.mnistCNN(seed: options.seed), on: try options.data.mnist(), color: "gray", epochs: 5)
    }
}
