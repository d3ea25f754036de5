// Trains a small network with a checkpoint every few batches, from the checkpoint if there is one: what the crash test
// kills and starts again. Usage: train-crash-test FOLDER. Leaves run.apus (the checkpoint) and, at the end, final.apus.
import Apus
import Foundation

guard CommandLine.arguments.count == 2 else {
    FileHandle.standardError.write(Data("usage: train-crash-test FOLDER\n".utf8))
    exit(64)
}
let folder = CommandLine.arguments[1]

/// Noise, whose class is the quarter of the picture that is brightest.
func pictures(_ count: Int) throws -> Dataset {
    var random = Philox(seed: 11)
    var pixels: [Float] = []
    var labels: [Int32] = []
    for _ in 0..<count {
        var sums: [Float] = [0, 0, 0, 0]
        for i in 0..<64 {
            let pixel = random.uniform()
            pixels.append(pixel)
            sums[i / 32 * 2 + i % 8 / 4] += pixel
        }
        labels.append(Int32(sums.firstIndex(of: sums.max()!)!))
    }
    return try Dataset(inputs: Tensor(pixels, shape: [count, 8, 8, 1]), targets: Tensor(labels))
}

let network = try Sequential(input: [8, 8, 1], seed: 3) {
    Conv2D(8, kernel: 3, padding: .same, usesBias: false)
    BatchNorm(momentum: 0.9)
    ReLU()
    MaxPool2D(2)
    Flatten()
    Dropout(0.3)
    Dense(16, activation: .relu)
    Dense(4)
}
let trainer = try Trainer(
    network, loss: SparseCategoricalCrossEntropy(fromLogits: true),
    optimizer: Adam(learningRate: CosineDecay(0.01, steps: 300, warmupSteps: 10)), metrics: [Accuracy()],
    batchSize: 16, seed: 5, threads: 1)
try trainer.restore(ifPresent: "\(folder)/run.apus")
try trainer.fit(
    try pictures(400), epochs: 12, validation: .split(0.1),
    augmentation: [.randomShift(fraction: 0.2), .randomFlip],
    callbacks: [
        ReduceLROnPlateau(monitor: "loss", factor: 0.7, patience: 1, minimumDelta: 0.05),
        EarlyStopping(monitor: "val_accuracy", patience: 20), CSVLog("\(folder)/log.csv"),
    ],
    checkpoint: CheckpointPolicy("\(folder)/run.apus", everyBatches: 3))
try network.export(to: "\(folder)/final.apus")
