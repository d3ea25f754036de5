import Apus
import ApusGraph
import ApusRuntime
import ArgumentParser
import ExampleSupport
import Foundation

extension ComputePrecision: ExpressibleByArgument {}

@main
struct CharacterGPT: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-character-gpt", abstract: "Trains a GPT on the characters of a text and lets it write.")

    @Option(help: ArgumentHelp("The text to learn; its last tenth is held out.", valueName: "path"))
    var text = "../shared/data/text/tinyshakespeare.txt"
    @Option(help: "Blocks.") var layers = 4
    @Option(help: "Width of the stream.") var width = 128
    @Option(help: "Heads of attention.") var heads = 4
    @Option(help: "Characters seen at once.") var context = 64
    @Option(help: "Steps of training.") var steps = 3000
    @Option(help: "Stretches of text in a step.") var batch = 12
    @Option(help: "Peak of the learning rate.") var rate = 2e-3
    @Option(help: "Share of activations dropped in training.") var dropout = 0.0
    @Option(help: "Steps between two looks at the held-out text.") var interval = 250
    @Option(help: "What weights and the order of stretches are drawn from.") var seed: UInt64 = 0
    @Option(help: "Threads; by default one for each processor.") var threads: Int?
    @Option(help: "f32, or bf16: matrix products round to bf16 and sum in f32.") var precision = ComputePrecision.f32
    @Flag(help: "Shows no progress.") var quiet = false
    @Option(help: "Characters to write.") var write = 400
    @Option(help: "Below 1 it writes what is likely, above 1 what is not.") var temperature = 0.8
    @Option(help: ArgumentHelp("Writes the network here, as an .apus file.", valueName: "path")) var export: String?
    @Option(help: ArgumentHelp("Writes initial weights, batches and losses here, for torch_twin.py.", valueName: "path"))
    var record: String?

    func validate() throws {
        for (name, value) in [
            ("layers", layers), ("width", width), ("heads", heads), ("context", context), ("steps", steps), ("batch", batch),
            ("interval", interval), ("write", write + 1),
        ] where value < 1 { throw ValidationError("--\(name) \(value), wanted 1 or more") }
        guard temperature > 0 else { throw ValidationError("--temperature \(temperature), wanted more than 0") }
    }

    func run() throws {
        guard let text = try? String(contentsOfFile: self.text, encoding: .utf8) else {
            throw ApusError(.ioError, "no text in \(self.text); name one with --text")
        }
        let tokenizer = try CharacterTokenizer(fitting: text), tokens = tokenizer.encode(text).map { Int32($0) }
        let held = tokens.count - tokens.count / 10
        guard held > context * batch, tokens.count - held > context else {
            throw ApusError.argument("\(tokens.count) characters, wanted more for batches of \(batch) × \(context)")
        }
        let windows = try Stretches.dataset(tokens[..<held], context: context)
        let validation = try Stretches.dataset(tokens[held...], context: context)
        let network = try ModelLibrary.gpt(
            vocabulary: tokenizer.vocabularySize, context: context, width: width, heads: heads, layers: layers,
            dropout: dropout, rotary: RotaryPositions(length: 8192), seed: seed)
        network.metadata += tokenizer.metadata
        let loss = SparseCategoricalCrossEntropy(fromLogits: true)
        let optimizer = AdamW(
            learningRate: CosineDecay(rate, steps: steps, alpha: 0.1, warmupSteps: min(100, steps / 10)), weightDecay: 0.1,
            decaying: .kernels, beta2: 0.99, epsilon: 1e-8, clipping: .globalNorm(1))
        let trainer = try Trainer(
            network, loss: loss, optimizer: optimizer, batchSize: batch, threads: threads, precision: precision)
        var record = TrainingRecord(network, tokens, context: context, heads: heads)
        print("\(network.parameters.all.reduce(0) { $0 + $1.count }) parameters, \(windows.count) stretches of \(context)")

        let began = Date()
        var recent = 0.0, epoch = 0, progress = StepProgress(steps: steps, quiet: quiet)
        var batches = try windows.batches(size: batch, shuffleSeed: seed, epoch: epoch, dropLast: true).makeIterator()
        for step in 1...steps {
            var next = batches.next()
            if next == nil {
                epoch += 1
                batches = try windows.batches(size: batch, shuffleSeed: seed, epoch: epoch, dropLast: true).makeIterator()
                next = batches.next()
            }
            guard let next else { break }
            let rate = trainer.learningRate, found = try trainer.step(next)
            record.append(next, rate: rate, loss: found)
            recent = recent == 0 ? found : 0.98 * recent + 0.02 * found
            progress.update(step, loss: recent)
            guard step % interval == 0 || step == steps else { continue }
            try trainer.updateNetwork()
            let value = try network.evaluate(
                validation, losses: [loss], batchSize: 64, threads: threads)["loss"] ?? .nan
            record.append(validationLoss: value, step: step)
            let seconds = Date().timeIntervalSince(began)
            progress.clear()
            print(String(format: "step %d  loss %.4f  held out %.4f  %.0f s", step, recent, value, seconds))
            fflush(nil) // a file or a pipe has each look at once
        }
        if let path = self.record { try record.write(to: path) }
        if let export {
            try network.export(to: export, maximumBatch: 1, steps: streams)
            print("wrote \(export)")
        }
        guard write > 0 else { return }
        let generator = try TextGenerator(try Model(try network.exportGraph(maximumBatch: 1, steps: streams)))
        let sampling = Sampling(temperature: temperature, seed: seed)
        print(try generator.generate("\n", GenerationOptions(maximumTokens: write, sampling: sampling)).text)
    }

    /// One character at a time, and a prompt in larger parts.
    private var streams: StepOptions { StepOptions(chunks: [1, 16].filter { $0 <= context }) }
}
