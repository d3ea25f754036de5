import Apus
import ApusGraph
import ArgumentParser
import ExampleSupport
import Foundation

@main
struct Sentiment: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-sentiment", abstract: "Tells whether a sentence about a film praises it.")

    @OptionGroup var data: DataOptions

    @OptionGroup var options: ExampleOptions

    @Flag(help: "LSTM layers instead of GRU layers.")
    var lstm = false

    /// Indices of words, and words of a sentence.
    static let vocabulary = 10_000, length = 50

    func run() throws {
        let (training, test, tokenizer) = try sentences()
        let network = try ModelLibrary.textClassifier(
            vocabulary: Sentiment.vocabulary, length: Sentiment.length, cell: lstm ? .lstm : .gru, seed: options.seed)
        network.metadata += tokenizer.metadata
        let trainer = try Trainer(
            network, loss: BinaryCrossEntropy(fromLogits: true), optimizer: Adam(),
            metrics: [BinaryAccuracy(threshold: 0)], batchSize: 32,
            seed: options.seed, threads: options.threads)
        let history = try trainer.fit(
            training, epochs: options.epochs ?? 4, validation: .data(test), callbacks: options.callbacks)
        let best = history.compactMap { $0["val_accuracy"] }.max() ?? 0
        print("best validation accuracy \(String(format: "%.2f", 100 * best)) %")
        try options.exportIfAsked(network)
    }

    /// The words of the sentences that are trained on are the vocabulary.
    private func sentences() throws -> (training: Dataset, test: Dataset, tokenizer: WordTokenizer) {
        let (training, test) = try data.polarity(seed: options.seed)
        let tokenizer = try WordTokenizer(fitting: training.map { $0.text }, maximumWords: Sentiment.vocabulary)
        func dataset(_ reviews: [Review]) throws -> Dataset {
            try Dataset(
                inputs: tokenizer.encode(reviews.map { $0.text }, length: Sentiment.length), targets: reviews.labels())
        }
        return (try dataset(training), try dataset(test), tokenizer)
    }
}
