import Apus
import ApusGraph

extension ImageOptions {
    /// Trains a network on CIFAR-10 with flips and crops, by SGD with Nesterov's momentum of 0.9 whose rate rises to `rate` and
    /// falls to 0 (one cycle, Smith 2018), batches of 64; then prints, exports and fine-tunes as asked.
    public func trainAugmented(_ network: Network, rate: Double, epochs ownEpochs: Int) throws {
        let bytes = try self.data.cifar10()
        let channels = try bytes.training.normalization(scale: 1 / 255)
        let data = try bytes.normalized(by: channels)
        let epochs = common.epochs ?? ownEpochs, batchSize = 64
        let steps = epochs * ((data.training.count + batchSize - 1) / batchSize)

        let augmentation: [Augmentation] = [.randomFlip, .randomCrop(padding: 4)]
        network.classNames = data.training.classNames
        try network.describeInput(channels, range: 0...255, color: "RGB")
        let trainer = try Trainer(
            network, loss: SparseCategoricalCrossEntropy(fromLogits: true),
            optimizer: SGD(learningRate: OneCycle(rate, steps: steps), momentum: 0.9, nesterov: true),
            metrics: [Accuracy()], batchSize: batchSize, seed: seed, threads: common.threads)
        try trainer.fit(data.training, epochs: epochs, augmentation: augmentation, callbacks: common.callbacks)

        try common.finish(network, test: data.test)
        try fineTune(network, data, augmentation: augmentation)
    }

    /// Trains a network on the images as they are, by Adam, batches of 32; then prints, exports and fine-tunes as asked.
    public func trainPlain(_ network: Network, on bytes: DataSets, color: String, epochs ownEpochs: Int) throws {
        let pixels = Normalization(scale: 1 / 255)
        let data = try bytes.normalized(by: pixels)

        network.classNames = data.training.classNames
        try network.describeInput(pixels, range: 0...255, color: color)
        let trainer = try Trainer(
            network, loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: Adam(), metrics: [Accuracy()],
            batchSize: 32, seed: seed, threads: common.threads)
        try trainer.fit(data.training, epochs: common.epochs ?? ownEpochs, callbacks: common.callbacks)

        try common.finish(network, test: data.test)
        try fineTune(network, data)
    }
}
