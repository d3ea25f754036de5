import Apus
import ApusGraph
import ArgumentParser
import Foundation
import ToolSupport

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a network and exports it.",
        discussion: """
            apus train --model mnist-cnn --data idx:images.gz,labels.gz --validation 0.1 --export mnist.apus
            apus train --model mlp:64,64 --data csv:table.csv,label=class --epochs 30 --export table.apus
            apus train --config training.json --resume

            Data is KIND:PATH[,PATH…] with KIND \(DataSource.kinds); options stand among the paths: csv label=NAME, \
            numeric, no-header; npz x=NAME, y=NAME; folder size=HxW, gray. Bytes are divided by the largest, columns of a table \
            to mean 0 and deviation 1, and the exported file says so.
            """)

    @Option(help: "A JSON file whose keys are the names of the options; options given here win.")
    var config: String?

    @Option(help: "mnist-cnn, cifar-cnn, cifar-resnet, vgg-style or mlp:UNITS,…")
    var model: String?

    @Option(help: "Of an mlp: relu, sigmoid, tanh, gelu or silu.")
    var activation: String?

    @Option(help: "Training samples, KIND:PATH[,PATH…].")
    var data: String?

    @Option(help: "A share to hold back, such as 0.1, or samples like --data.")
    var validation: String?

    @Option(help: "5 by default.")
    var epochs: Int?

    @Option(help: "32 by default.")
    var batchSize: Int?

    @Option(help: "adam, adamw, sgd, rmsprop or adagrad.")
    var optimizer: String?

    @Option(help: "The peak where there is a schedule.")
    var learningRate: Double?

    @Option(help: "Of sgd (Nesterov) and rmsprop.")
    var momentum: Double?

    @Option(help: "Of adamw.")
    var weightDecay: Double?

    @Option(help: "constant, cosine or one-cycle.")
    var schedule: String?

    @Option(help: "cross-entropy for classes; mse, mae or huber for numbers.")
    var loss: String?

    @Option(help: "Such as flip,crop:4,shift:0.1,rotate:10,cutout:8.")
    var augment: String?

    @Option(help: "What weights, order and augmentation are drawn from.")
    var seed: UInt64?

    @Option(help: "Threads to use; all processors by default.")
    var threads: Int?

    @Option(help: "The file to write the trained network to.")
    var export: String?

    @OptionGroup var common: CommonOptions

    func run() throws {
        let console = common.console(toolName)
        let setup = try TrainingSetup(try description())
        let trainer = try Trainer(
            setup.network, loss: setup.loss, optimizer: setup.optimizer, metrics: setup.metrics,
            batchSize: setup.batchSize, seed: setup.seed, threads: threads)
        console.progress("\(try setup.network.summary())")
        let history = try trainer.fit(
            setup.training, epochs: setup.epochs, validation: setup.validation, augmentation: setup.augmentation,
            callbacks: common.quiet ? [] : [EpochLines(console)])
        if let export {
            try setup.network.export(to: export)
            console.progress("wrote \(export)")
        }
        if common.json { return try console.json(history) }
        guard let names = history.last?.names else { return }
        var lines = (["epoch"] + names).joined(separator: " ") + "\n"
        for log in history {
            lines += (["\(log.epoch + 1)"] + names.map { String(format: "%.6g", log[$0] ?? .nan) })
                .joined(separator: " ") + "\n"
        }
        try console.result(lines)
    }

    private func description() throws(ApusError) -> TrainingDescription {
        let options = TrainingDescription(
            model: model, activation: activation, data: data, validation: validation, epochs: epochs,
            batchSize: batchSize, optimizer: optimizer, learningRate: learningRate, momentum: momentum,
            weightDecay: weightDecay, schedule: schedule, loss: loss, augment: augment, seed: seed, threads: threads)
        guard let config else { return options }
        return try TrainingDescription.read(config).overridden(by: options)
    }
}

/// A line of progress for each epoch.
private final class EpochLines: Callback {
    private let console: Console

    init(_ console: Console) { self.console = console }

    func epochEnded(_ trainer: Trainer, _ log: EpochLog) throws(ApusError) {
        let values = zip(log.names, log.values).map { "\($0) " + String(format: "%.4f", $1) }
        console.progress(
            "epoch \(log.epoch + 1): \(values.joined(separator: ", ")), \(Quantity.seconds(log.seconds))")
    }
}
