import ApusGraph
import ApusRuntime
import Foundation

/// Trains a network: one planned step, run batch by batch.
///
///     let trainer = try Trainer(network, loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: Adam(),
///                               metrics: [Accuracy()])
///     try trainer.fit(training, epochs: 5, validation: .split(0.1))
///
/// The same seed, data and settings give the same weights, bit for bit, on any number of threads.
public final class Trainer {
    public let network: Network
    public let losses: [any Loss]
    public let optimizer: any Optimizer
    /// Of output 0.
    public let metrics: [any Metric]
    public let batchSize: Int
    /// Draws the order of samples and the augmentation.
    public let seed: UInt64
    public let threads: Int

    /// Where training stands; what a checkpoint stores beside the states.
    public internal(set) var progress = TrainingProgress()
    /// Multiplies the schedule's rate; callbacks lower it.
    public var learningRateScale = 1.0
    /// Set by a callback that ends training after the current epoch; says why.
    public var stopReason: String?

    let program: TrainingProgram
    let session: Session
    private let learningRateInput: Int

    public init(
        _ network: Network, losses: [any Loss], optimizer: any Optimizer, metrics: [any Metric] = [],
        batchSize: Int = 32, seed: UInt64 = 0, threads: Int? = nil
    ) throws(ApusError) {
        guard batchSize >= 1 else { throw .argument("batch size \(batchSize), wanted 1 or more") }
        self.network = network
        self.losses = losses
        self.optimizer = optimizer
        self.metrics = metrics
        self.batchSize = batchSize
        self.seed = seed
        self.threads = threads ?? Processors.count
        program = try TrainingProgram(network, losses: losses, optimizer: optimizer, maximumBatch: batchSize)
        var options = SessionOptions()
        options.threads = self.threads
        session = try Session(try ApusRuntime.Model(program.graph), options)
        learningRateInput = network.inputs.count + network.outputs.count
    }

    public convenience init(
        _ network: Network, loss: any Loss, optimizer: any Optimizer, metrics: [any Metric] = [], batchSize: Int = 32,
        seed: UInt64 = 0, threads: Int? = nil
    ) throws(ApusError) {
        try self.init(
            network, losses: [loss], optimizer: optimizer, metrics: metrics, batchSize: batchSize, seed: seed,
            threads: threads)
    }

    deinit { session.destroy() }

    // MARK: One step

    /// Trains on one batch and returns its loss. The network's outputs stay readable through `output`.
    @discardableResult
    public func step(_ batch: Batch) throws(ApusError) -> Double {
        try setBatchSize(batch.count)
        try set(batch.inputs, first: 0, count: network.inputs.count, "inputs")
        try set(batch.targets, first: network.inputs.count, count: network.outputs.count, "targets")
        var rate = Float(optimizer.learningRate.rate(atStep: progress.step) * learningRateScale)
        do {
            try withUnsafeBytes(of: &rate) { try session.setInput(function: 0, learningRateInput, $0) }
        } catch let error as ApusError { throw error } catch { throw .argument("\(error)") }
        session.run()
        progress.step += 1
        progress.batch += 1
        let loss = Double(try output(0).array(of: Float.self)[0])
        return loss
    }

    private func setBatchSize(_ count: Int) throws(ApusError) {
        guard count <= batchSize else { throw .shape("a batch of \(count) samples, wanted at most \(batchSize)") }
        try session.setDimension(Network.batch, count)
    }

    private func set(_ tensors: [NamedTensor], first: Int, count: Int, _ what: String) throws(ApusError) {
        guard tensors.count == count else { throw .shape("\(tensors.count) \(what), wanted \(count)") }
        for (i, named) in tensors.enumerated() {
            try session.set(input: first + i, named.tensor)
        }
    }

    /// An output of the last step: the loss, then the network's outputs.
    func output(_ index: Int) throws(ApusError) -> Tensor { try session.tensor(output: index) }

    // MARK: The network's weights

    /// Copies the trained values into the network.
    public func updateNetwork() throws(ApusError) {
        for (index, state) in program.parameterStates.enumerated() {
            let old = network.parameters.all[index].value
            network.parameters.set(
                index,
                try Tensor(
                    copying: UnsafeRawBufferPointer(session.state(state)), dtype: old.dtype, shape: old.shape))
        }
    }

    /// Copies the network's values into the training states.
    public func updateStates() {
        for (index, state) in program.parameterStates.enumerated() {
            let destination = session.state(state)
            network.parameters.all[index].value.withUnsafeBytes { destination.copyMemory(from: $0) }
        }
    }
}

/// Where training stands.
public struct TrainingProgress: Sendable, Codable, Equatable {
    /// Epochs completed.
    public var epoch = 0
    /// Batches completed of the current epoch.
    public var batch = 0
    /// Steps completed in all.
    public var step = 0
    /// What each completed epoch measured.
    public var history: [EpochLog] = []

    public init() {}
}

/// What an epoch measured, in the order it was logged: "loss", the metrics, then the same with "val_" in front.
public struct EpochLog: Sendable, Codable, Equatable {
    public var epoch: Int
    public var names: [String] = []
    public var values: [Double] = []
    public var seconds = 0.0

    public init(epoch: Int) { self.epoch = epoch }

    public subscript(name: String) -> Double? {
        get { names.firstIndex(of: name).map { values[$0] } }
        set {
            guard let newValue else { return }
            if let index = names.firstIndex(of: name) {
                values[index] = newValue
            } else {
                names.append(name)
                values.append(newValue)
            }
        }
    }
}
