import Apus
import ApusGraph
import ArgumentParser
import ExampleSupport
import Foundation

@main
struct Keywords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-keywords", abstract: "Hears which of four made words was said, while it listens.")

    @OptionGroup var options: ExampleOptions

    /// At every frame, what has been said by then: so it runs as a stream too, a frame at a time.
    static func network(seed: UInt64) throws(ApusError) -> Network {
        try Sequential(
            input: [MadeWords.frames, MadeWords.frameLength], output: "logits", name: "keywords", seed: seed
        ) {
            Conv1D(32, kernel: 3, padding: .causal, activation: .relu)
            Conv1D(32, kernel: 3, padding: .causal, dilation: 2, activation: .relu)
            GRU(48, returnSequences: true)
            Dense(MadeWords.classNames.count)
        }
    }

    func run() throws {
        let training = try MadeWords.dataset(2_000, seed: 2 * options.seed)
        let test = try MadeWords.dataset(500, seed: 2 * options.seed + 1)
        let network = try Keywords.network(seed: options.seed)
        network.classNames = MadeWords.classNames
        let trainer = try Trainer(
            network, loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: Adam(), metrics: [Accuracy()],
            batchSize: 32, seed: options.seed, threads: options.threads)
        try trainer.fit(training, epochs: options.epochs ?? 40, callbacks: options.callbacks)

        let logits = try network.predict(test.inputs[0].tensor, threads: options.threads)
        let scores = try logits.array(of: Float.self), labels = try test.targets[0].tensor.array(of: Int32.self)
        let classes = MadeWords.classNames.count
        let right = (0..<test.count).count { sample in
            let last = (sample + 1) * MadeWords.frames - 1
            let row = scores[last * classes..<(last + 1) * classes]
            return row.indices.max { row[$0] < row[$1] }! - row.startIndex == Int(labels[last])
        }
        print("words known at the end \(String(format: "%.2f", 100 * Double(right) / Double(test.count))) %")
        if let export = options.export {
            try network.export(to: export, steps: StepOptions(chunks: [1, 4]))
            print("wrote \(export)")
        }
    }
}
