import Apus
import ApusConvert
import ApusGraph
import ArgumentParser
import ExampleSupport
import Foundation

@main
struct FineTuning: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-fine-tuning",
        abstract: "Teaches a model of sentences from transformers whether a sentence about a film praises it.")

    @OptionGroup var data: DataOptions

    @OptionGroup var options: ExampleOptions

    @Option(help: ArgumentHelp("A folder as save_pretrained writes it, of BERT or DistilBERT.", valueName: "dir"))
    var model: String

    @Option(help: "Tokens that a sentence is cut to.")
    var length = 48

    @Option(help: "Peak of the learning rate.")
    var rate = 5e-5

    @Flag(help: "A few sentences of a few tokens, to see that it runs.")
    var quick = false

    func run() throws {
        var (training, test) = try data.polarity(seed: options.seed)
        let length = quick ? min(8, self.length) : self.length
        if quick { (training, test) = (Array(training.prefix(64)), Array(test.prefix(32))) }
        var reading = WordPieceTokenizer.Options()
        reading.maximumTokens = length
        let tokenizer = try WordPieceTokenizer(vocabularyFile: model + "/vocab.txt", reading)
        let network = try classifier(length: length)
        network.metadata += tokenizer.metadata

        let epochs = options.epochs ?? (quick ? 1 : 2), batchSize = 32
        let steps = epochs * ((training.count + batchSize - 1) / batchSize), warmup = steps / 10
        let optimizer = AdamW(
            learningRate: CosineDecay(rate, steps: steps - warmup, warmupSteps: warmup), weightDecay: 0.01, decaying: .kernels,
            clipping: .globalNorm(1))
        let trainer = try Trainer(
            network, loss: BinaryCrossEntropy(fromLogits: true), optimizer: optimizer,
            metrics: [BinaryAccuracy(threshold: 0)], batchSize: batchSize, seed: options.seed, threads: options.threads)
        func dataset(_ reviews: [Review]) throws -> Dataset {
            let inputs = try padded(reviews.map { tokenizer.encode($0.text) }, length).prefix(network.inputs.count)
            return try Dataset(inputs: Array(inputs), targets: [NamedTensor("logits", try reviews.labels())])
        }
        let history = try trainer.fit(
            try dataset(training), epochs: epochs, validation: .data(try dataset(test)), callbacks: options.callbacks)
        for log in history {
            let accuracy = 100 * (log["val_accuracy"] ?? .nan)
            print(String(format: "epoch %d  validation accuracy %.2f %%  %.0f s", log.epoch + 1, accuracy, log.seconds))
        }
        try options.exportIfAsked(network)
    }

    /// The pretrained encoder, the mean of its vectors over the tokens that are no padding, and a dense layer.
    private func classifier(length: Int) throws(ApusError) -> Network {
        let base = try Network.pretrained(model, length: length), mask = base.inputs[1]
        var x = GlobalAvgPool1D(name: "sentence")(base.outputs[0], mask)
        x = Dropout(0.1, name: "dropout")(x)
        let logits = Dense(1, name: "classifier")(x)
        let network = try Network(
            inputs: base.inputs, outputs: [logits], outputNames: ["logits"], name: "polarity", seed: options.seed)
        try network.parameters.take(from: base.parameters)
        return network
    }

    /// The inputs of the network: tokens and zeros after them, which the mask tells from tokens, all of one type.
    private func padded(_ texts: [[Int]], _ length: Int) throws(ApusError) -> [NamedTensor] {
        func tensor(_ element: (Int) -> Int) throws(ApusError) -> Tensor {
            let rows = texts.flatMap { tokens in (0..<length).map { $0 < tokens.count ? Int32(element(tokens[$0])) : 0 } }
            return try Tensor(rows, shape: [texts.count, length])
        }
        return [
            NamedTensor("input_ids", try tensor { $0 }), NamedTensor("attention_mask", try tensor { _ in 1 }),
            NamedTensor("token_type_ids", try tensor { _ in 0 }),
        ]
    }
}
