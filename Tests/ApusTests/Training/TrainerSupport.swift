import ApusGraph
import Foundation
import XCTest

@testable import Apus

/// Small trainings that use what can go wrong on resuming: random operators, moving statistics, augmentation,
/// schedules, an uneven last batch.
enum SmallTraining {
    /// Bright squares of 8 × 8 pixels: the quarter they lie in is the class.
    static func quarters(_ count: Int, seed: UInt64 = 1) throws -> Dataset {
        var random = Philox(seed: seed)
        var pixels = [Float](repeating: 0, count: count * 64)
        var labels: [Int32] = []
        for sample in 0..<count {
            let label = Int(random.next32() % 4)
            labels.append(Int32(label))
            for i in 0..<64 { pixels[sample * 64 + i] = random.uniform() * 0.6 }
            let corner = sample * 64 + label / 2 * 32 + label % 2 * 4
            for i in 0..<9 { pixels[corner + i / 3 * 8 + i % 3] += 0.5 }
        }
        return try Dataset(inputs: Tensor(pixels, shape: [count, 8, 8, 1]), targets: Tensor(labels))
    }

    static func network(seed: UInt64 = 3) throws -> Network {
        try Sequential(input: [8, 8, 1], seed: seed) {
            Conv2D(4, kernel: 3, padding: .same, usesBias: false)
            BatchNorm(momentum: 0.9)
            ReLU()
            MaxPool2D(2)
            Flatten()
            Dropout(0.3)
            Dense(4)
        }
    }

    static func trainer(
        optimizer: any Optimizer = Adam(learningRate: CosineDecay(0.01, steps: 60, warmupSteps: 5)),
        batchSize: Int = 16, seed: UInt64 = 7, threads: Int = 1
    ) throws -> Trainer {
        try Trainer(
            try network(), loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: optimizer,
            metrics: [Accuracy(), AUROC()], batchSize: batchSize, seed: seed, threads: threads)
    }
}

/// Ends training as an exception would, when the step of this number is done.
final class Interruption: Callback {
    let step: Int
    init(afterStep step: Int) { self.step = step }

    func batchEnded(
        _ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]
    ) throws(ApusError) {
        if trainer.progress.step == step { throw .argument("interrupted") }
    }
}

/// Notes in which order it is called.
final class Recorder: Callback {
    var calls: [String] = []

    func trainingBegan(_ trainer: Trainer, epochs: Int) { calls.append("began \(epochs)") }
    func epochBegan(_ trainer: Trainer, batches: Int) { calls.append("epoch \(trainer.progress.epoch) of \(batches)") }
    func batchEnded(_ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]) {
        calls.append("batch \(trainer.progress.batch)")
    }
    func epochEnded(_ trainer: Trainer, _ log: EpochLog) { calls.append("epoch \(log.epoch) ended") }
    func trainingEnded(_ trainer: Trainer) { calls.append("ended") }
}

/// The message of what `body` throws.
func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "nothing thrown"
    } catch {
        return "\(error)"
    }
}
