import Apus
import ApusGraph
import ArgumentParser
import ExampleSupport
import Foundation

@main
struct Digits: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-digits", abstract: "Trains a small CNN on the bundled handwritten digits.")

    @OptionGroup var options: ExampleOptions

    @Option(help: "The folder of the digits.")
    var digits = "Examples/digits/data"

    @Option(help: "Writes the first test image here, as raw little-endian f32.")
    var image: String?

    static func network(seed: UInt64) throws(ApusError) -> Network {
        try Sequential(input: [8, 8, 1], output: "logits", name: "digits", seed: seed) {
            Conv2D(16, kernel: 3, padding: .same, activation: .relu)
            MaxPool2D(2)
            Conv2D(32, kernel: 3, padding: .same, activation: .relu)
            MaxPool2D(2)
            Flatten()
            Dense(64, activation: .relu)
            Dense(10)
        }
    }

    func run() throws {
        let pixels = Normalization(scale: 1 / 16)
        let data = try DataSets.idx(digits, classNames: (0...9).map(String.init)).normalized(by: pixels)

        let network = try Digits.network(seed: options.seed)
        network.classNames = data.training.classNames
        try network.describeInput(pixels, range: 0...16, color: "gray")
        let trainer = try Trainer(
            network, loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: Adam(), metrics: [Accuracy()],
            seed: options.seed, threads: options.threads)
        try trainer.fit(data.training, epochs: options.epochs ?? 20, callbacks: options.callbacks)

        try options.finish(network, test: data.test)
        if let image {
            let first = try data.test.inputs[0].tensor.rows(0..<1)
            try first.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: image)) }
            print("wrote \(image), a \(try data.test.targets[0].tensor.array(of: Int32.self)[0])")
        }
    }
}
