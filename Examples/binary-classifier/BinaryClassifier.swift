import Apus
import ApusGraph
import ArgumentParser
import ExampleSupport

@main
struct BinaryClassifier: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-binary-classifier", abstract: "Tells malignant from benign breast masses.")

    @OptionGroup var options: ExampleOptions

    @Option(help: "The table: ten features, then 1 for malignant.")
    var table = "Examples/binary-classifier/data/breast-cancer.csv"

    static func network(seed: UInt64) throws(ApusError) -> Network {
        try Sequential(input: [10], output: "malignant", name: "binary-classifier", seed: seed) {
            Dense(64, activation: .relu)
            Dense(64, activation: .relu)
            Dense(1, activation: .sigmoid)
        }
    }

    func run() throws {
        let samples = try Dataset.csv(table, labels: .numeric)
        let (training, test) = try samples.split(validation: 0.2, seed: options.seed)
        let normalization = try training.normalization()

        let network = try BinaryClassifier.network(seed: options.seed)
        try network.describeInput(normalization)
        let trainer = try Trainer(
            network, loss: BinaryCrossEntropy(), optimizer: Adam(), metrics: [BinaryAccuracy()], seed: options.seed,
            threads: options.threads)
        try trainer.fit(
            training.normalized(by: normalization), epochs: options.epochs ?? 30, callbacks: options.callbacks)

        try options.finish(network, test: test.normalized(by: normalization), metrics: [BinaryAccuracy(), AUROC()])
    }
}
