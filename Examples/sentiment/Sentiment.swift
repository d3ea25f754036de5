import Apus
import ApusGraph
import ArgumentParser
import ExampleSupport
import Foundation

@main
struct Sentiment: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-sentiment", abstract: "Tells whether a sentence about a film praises it.")

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

    /// The polarity text (Pang and Lee 2005), shuffled: nine tenths to train on, whose words are the vocabulary, and a tenth
    /// held out.
    private func sentences() throws -> (training: Dataset, test: Dataset, tokenizer: WordTokenizer) {
        var lines: [(text: String, isPositive: Bool)] = []
        for (name, isPositive) in [("neg", false), ("pos", true)] {
            let path = "\(options.data)/text/rt-polarity.\(name)"
            guard let text = try? String(contentsOfFile: path, encoding: .isoLatin1) else {
                throw ApusError(.ioError, "there is no \(path); name the data's folder with --data")
            }
            lines += text.split(separator: "\n").map { (String($0), isPositive) }
        }
        var random = Philox(seed: options.seed)
        lines.shuffle(using: &random)
        let held = lines.count / 10
        let tokenizer = try WordTokenizer(
            fitting: lines.dropLast(held).map { $0.text }, maximumWords: Sentiment.vocabulary)
        func dataset(_ lines: some Collection<(text: String, isPositive: Bool)>) throws -> Dataset {
            try Dataset(
                inputs: tokenizer.encode(lines.map { $0.text }, length: Sentiment.length),
                targets: Tensor(lines.map { $0.isPositive ? Float(1) : 0 }, shape: [lines.count, 1]))
        }
        return (try dataset(lines.dropLast(held)), try dataset(lines.suffix(held)), tokenizer)
    }
}
