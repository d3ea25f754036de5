import Apus
import ApusGraph
import ArgumentParser
import Foundation
import ToolSupport

extension ComputePrecision: ExpressibleByArgument {}

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a network and exports it.",
        discussion: """
            apus train --model mnist-cnn --data idx:images.gz,labels.gz --validation 0.1 --export mnist.apus
            apus train --model mlp:64,64 --data csv:table.csv,label=class --epochs 30 --export table.apus
            apus train --config training.json --resume
            apus train --model cifar-resnet --data cifar10:batch.bin --checkpoint real.checkpoint
            apus train --model cifar-resnet --data cifar10:batch.bin --initial-weights real.checkpoint --quantization-aware \
              --learning-rate 1e-4 --epochs 3 --freeze-observers 2 --freeze-batch-norm 2 --export int8.apus

            Data is KIND:PATH[,PATH…] with KIND \(DataSource.kinds). Options stand among the paths: csv label=NAME, \
            weight=NAME, numeric, no-header; npz x=NAME, y=NAME, weight=NAME; folder size=HxW, gray. What weight names is \
            what each sample counts in the loss.

            Of text-gru, text-lstm and gpt, samples are integers [samples, length], the indices of tokens, and the y of a gpt \
            are as many: after each token the one that follows.

            Bytes are divided by the largest, columns of a table brought to mean 0 and deviation 1; the exported file \
            says so.
            """)

    @Option(help: "A JSON file whose keys are the names of the options; options given here win.")
    var config: String?

    @Option(help: "\(TrainingSetup.networks)")
    var model: String?

    @Option(help: "Of an mlp: relu, the default, sigmoid, tanh, gelu or silu.")
    var activation: String?

    @Option(help: "Training samples, KIND:PATH[,PATH…].")
    var data: String?

    @Option(help: "A share to hold back, such as 0.1, or samples like --data; none by default.")
    var validation: String?

    @Option(help: "5 by default.")
    var epochs: Int?

    @Option(help: "32 by default.")
    var batchSize: Int?

    @Option(help: ArgumentHelp("Update the weights once per so many batches, by the mean of their gradients.", valueName: "n"))
    var accumulate: Int?

    @Option(help: ArgumentHelp("Evaluate and export a moving average of the weights, of this decay, such as 0.999.", valueName: "decay"))
    var average: Double?

    @Option(help: "adam, the default, adamw, sgd, rmsprop or adagrad.")
    var optimizer: String?

    @Option(help: "0.001 by default, 0.01 of sgd; the peak where there is a schedule.")
    var learningRate: Double?

    @Option(help: "Of sgd (Nesterov) and rmsprop; 0 by default.")
    var momentum: Double?

    @Option(help: "Of adamw; 0.004 by default.")
    var weightDecay: Double?

    @Option(help: "constant, the default, cosine or one-cycle.")
    var schedule: String?

    @Option(help: "cross-entropy for classes; mse, the default, mae or huber for numbers.")
    var loss: String?

    @Option(help: "balanced: a class counts the less, the more samples it has, so that all count alike.")
    var classWeights: String?

    @Option(help: "Such as flip,crop:4,shift:0.1,rotate:10,cutout:8.")
    var augment: String?

    @Option(help: "What weights, order and augmentation are drawn from; 0 by default.")
    var seed: UInt64?

    @Option(help: "Threads to use; all processors by default.")
    var threads: Int?

    @Option(help: "The file to write the trained network to.")
    var export: String?

    @Option(help: ArgumentHelp("Write all that training depends on to this file after every epoch.", valueName: "file"))
    var checkpoint: String?

    @Option(help: ArgumentHelp("And after every so many batches.", valueName: "n"))
    var checkpointBatches: Int?

    @Flag(help: "Continue from the checkpoint, if it is there: same data and options, same bits.")
    var resume = false

    @Flag(help: "Compute again what is cheap, instead of keeping it for the gradients: less memory, the same bits.")
    var recompute = false

    @Option(help: "f32, the default, or bf16: products round to bf16 and sum in f32, faster where the processor multiplies bf16.")
    var precision: ComputePrecision?

    @Option(help: "Stop when the validation loss, or without validation the loss, is no better for so many epochs.")
    var patience: Int?

    @Option(help: ArgumentHelp("A line per epoch as CSV.", valueName: "file"))
    var log: String?

    @Option(help: ArgumentHelp("Begin with the weights of a file of --checkpoint, of this model.", valueName: "file"))
    var initialWeights: String?

    @OptionGroup var awareness: AwarenessOptions

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if resume || checkpointBatches != nil, checkpoint == nil {
            throw ValidationError("Missing expected option '--checkpoint <file>'")
        }
        if let checkpointBatches, checkpointBatches < 1 {
            throw ValidationError("--checkpoint-batches \(checkpointBatches), wanted 1 or more")
        }
        if let patience, patience < 1 { throw ValidationError("--patience \(patience), wanted 1 or more") }
    }

    func run() throws {
        let console = common.console(toolName)
        let description = try description()
        let (model, data) = try description.validated()
        let files = try WrittenFiles(
            [("--export", export), ("--checkpoint", checkpoint), ("--log", log)],
            reading: description.files + [config].compactMap { $0 })
        try files.requireFolders()
        let setup = try TrainingSetup(description, model: model, data: data)
        let trainer = try Trainer(
            setup.network, loss: setup.loss, optimizer: setup.optimizer, metrics: setup.metrics,
            batchSize: setup.batchSize, seed: setup.seed, threads: setup.threads, gradientAccumulation: setup.accumulation,
            weightAverage: setup.average, recompute: recompute, precision: setup.precision)
        console.progress("\(try setup.network.summary())")
        if resume, let checkpoint, try trainer.restore(ifPresent: checkpoint) {
            console.progress("resumed at epoch \(trainer.progress.epoch + 1), batch \(trainer.progress.batch + 1)")
        }
        let history = try trainer.fit(
            setup.training, epochs: setup.epochs, validation: setup.validation, augmentation: setup.augmentation,
            callbacks: callbacks(setup),
            checkpoint: checkpoint.map { CheckpointPolicy($0, everyBatches: checkpointBatches) })
        if let reason = trainer.stopReason { console.progress("stopped: \(reason)") }
        if let export {
            try setup.network.export(to: export)
            console.progress("wrote \(export)")
        }
        if common.json { return try console.json(history.map { EpochReport($0) }) }
        guard let names = history.last?.names else { return }
        var lines = (["epoch"] + names).joined(separator: " ") + "\n"
        for log in history {
            lines += (["\(log.epoch + 1)"] + names.map { String(format: "%.6g", log[$0] ?? .nan) })
                .joined(separator: " ") + "\n"
        }
        try console.result(lines)
    }

    private func callbacks(_ setup: TrainingSetup) -> [any Callback] {
        var callbacks: [any Callback] = [ProgressBar(quiet: common.quiet), NaNStop()]
        if let log { callbacks.append(CSVLog(log)) }
        if let patience {
            var quantity = "val_loss"
            if case .none = setup.validation { quantity = "loss" }
            callbacks.append(EarlyStopping(monitor: Monitor(quantity), patience: patience))
        }
        return callbacks
    }

    private func description() throws(ApusError) -> TrainingDescription {
        let options = TrainingDescription(
            model: model, activation: activation, data: data, validation: validation, epochs: epochs,
            batchSize: batchSize, accumulate: accumulate, average: average, optimizer: optimizer, learningRate: learningRate,
            momentum: momentum, weightDecay: weightDecay, schedule: schedule, loss: loss, classWeights: classWeights,
            augment: augment, seed: seed, threads: threads, precision: precision, initialWeights: initialWeights,
            quantizationAware: awareness.quantizationAware ? true : nil,
            keepFloat: awareness.keepFloat.isEmpty ? nil : awareness.keepFloat, learnRanges: awareness.learnRanges,
            freezeObservers: awareness.freezeObservers, freezeBatchNorm: awareness.freezeBatchNorm)
        guard let config else { return options }
        return try TrainingDescription.read(config).overridden(by: options)
    }
}

/// What an epoch measured; the first is 1, as in the table and in the log.
private struct EpochReport: Encodable {
    let epoch: Int
    let names: [String]
    let values: [Double]
    let seconds: Double

    init(_ log: EpochLog) {
        epoch = log.epoch + 1
        (names, values, seconds) = (log.names, log.values, log.seconds)
    }
}
