import ApusGraph
import ApusRuntime

/// Trains a network: one planned step, run batch by batch.
///
///     let trainer = try Trainer(network, loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: Adam(),
///                               metrics: [Accuracy()])
///     try trainer.fit(training, epochs: 5, validation: .split(0.1))
///
/// The same seed, data and settings give the same weights, bit for bit, on any number of threads.
public final class Trainer {
    public let network: Network
    /// One per output; what training makes small is Σ weight · loss, and the layers' penalties. Where samples have weights, a
    /// loss is Σ w·l / n over the n samples of a batch, l being a sample's loss and w its weight (Keras's `sum_over_batch_size`).
    public let losses: [any Loss]
    public let lossWeights: [Double]
    public let optimizer: any Optimizer
    /// Each of the output it names.
    public let metrics: [any Metric]
    public let batchSize: Int
    /// Draws the order of samples and the augmentation.
    public let seed: UInt64
    public let threads: Int
    /// In training by windows, truncated back-propagation through time (Williams and Peng 1990): how many elements of its
    /// sequences a step sees. `fit` then takes longer sequences and cuts each batch of them into windows, one step after the
    /// other; recurrent layers go on from the states that the window before left, through which no gradient flows.
    public let window: Int?
    /// How many batches make one update of the weights, by the mean of their gradients: as one batch of so many times the
    /// samples, in the memory of one. A batch counts by its samples; an epoch's last update takes the batches that are left. In
    /// training by windows each window counts as a batch. Batch norms see each batch alone.
    public let gradientAccumulation: Int
    /// Whether evaluation, export and what `updateNetwork` gives the network take the moving average of the weights; training goes
    /// on from the weights themselves. A value that is given to the network sets both.
    public var weightAverage: ExponentialMovingAverage? { options.average }

    /// Where training stands; what a checkpoint stores beside the states.
    public internal(set) var progress = TrainingProgress()
    /// Multiplies the schedule's rate; callbacks lower it.
    public var learningRateScale = 1.0
    /// Taken instead of the schedule's rate while it is set.
    public var learningRateOverride: Double?
    /// Set by a callback that ends training after the current epoch; says why.
    public var stopReason: String?

    private(set) var program: TrainingProgram
    private(set) var session: Session
    /// The epoch that is under way.
    var running: RunningEpoch?
    /// How many samples the last completed epoch trained on.
    var lastEpochSamples = 0
    var batches: Batches?
    var activeCallbacks: [any Callback] = []
    /// Read from a checkpoint, for the callbacks of the next `fit`.
    var restoredCallbacks: [CheckpointedCallback]?
    /// Of the network's parameters, when the trainer last took or gave their values.
    var revisions: [Int]
    var changes: Int
    /// Which of them the step trains.
    let trained: [Bool]
    private let inputNames: [String]
    private let outputNames: [String]
    private let options: TrainingProgram.Options
    private let profiles: Bool
    var precision: ComputePrecision { options.precision }

    /// - Parameters:
    ///   - lossWeights: one per output; all 1 by default.
    ///   - window: what the network's sequences are, where its training is by windows; batches are whole then, and what is left
    ///     of the samples is left out of the epoch.
    ///   - exact: no convolution by an algorithm that rounds otherwise than one chain of multiply-adds.
    ///   - recompute: what is cheap to compute is computed again for the gradients instead of kept: less memory, the same
    ///     bits, a longer step.
    ///   - gradientAccumulation: how many batches make one update of the weights, 1 ... 2²⁰.
    ///   - weightAverage: predictions by a moving average of the weights; nil: by the last of them.
    ///   - precision: what the step's matrix products compute in; evaluation and export are of the f32 weights. A network that
    ///     is quantization-aware trains in f32.
    public init(
        _ network: Network, losses: [any Loss], lossWeights: [Double] = [], optimizer: any Optimizer,
        metrics: [any Metric] = [], batchSize: Int = 32, seed: UInt64 = 0, threads: Int? = nil, window: Int? = nil,
        gradientAccumulation: Int = 1, weightAverage: ExponentialMovingAverage? = nil, profile: Bool = false,
        exact: Bool = false, recompute: Bool = false, precision: ComputePrecision = .f32
    ) throws(ApusError) {
        try Trainer.check(window, network)
        try weightAverage?.check()
        guard (1...1 << 20).contains(gradientAccumulation) else {
            throw .argument("gradients of \(gradientAccumulation) batches accumulated, wanted 1 ... \(1 << 20)")
        }
        guard precision == .f32 || network.quantization == nil else {
            throw .argument("precision \(precision.rawValue) of a quantization-aware network, wanted f32")
        }
        guard (1...Shape.maximumExtent).contains(batchSize) else {
            throw .argument("batch size \(batchSize), wanted 1 ... \(Shape.maximumExtent)")
        }
        try network.check(metrics)
        self.network = network
        self.losses = losses
        self.lossWeights = lossWeights.isEmpty ? losses.map { _ in 1 } : lossWeights
        self.optimizer = optimizer
        self.metrics = metrics
        self.batchSize = batchSize
        self.seed = seed
        self.threads = threads ?? Processors.count
        self.window = window
        self.gradientAccumulation = gradientAccumulation
        inputNames = network.inputNames
        outputNames = network.outputNames
        options = TrainingProgram.Options(
            maximumBatch: batchSize, window: window, exact: exact, recompute: recompute, precision: precision,
            accumulates: gradientAccumulation > 1, average: weightAverage)
        profiles = profile
        revisions = network.parameters.all.map { $0.revision }
        changes = network.parameters.changes
        trained = network.parameters.all.map { $0.isTrainable }
        program = try TrainingProgram(
            network, losses: losses, weights: self.lossWeights, optimizer: optimizer, options)
        session = try Trainer.session(program, threads: self.threads, profile: profile)
    }

    private static func session(_ program: TrainingProgram, threads: Int, profile: Bool) throws(ApusError) -> Session {
        var options = SessionOptions()
        options.threads = threads
        options.profile = profile
        return try Session(try ApusRuntime.Model(program.graph), options)
    }

    /// Plans the step anew where the epoch is of another stage of quantization-aware training, or samples have weights and had
    /// none, or the reverse; nil: they are as before. The states stay.
    func plan(epoch: Int, weighsSamples: Bool? = nil) throws(ApusError) {
        let weighsSamples = weighsSamples ?? program.weighsSamples
        guard network.quantization?.stage(epoch: epoch) != program.stage || weighsSamples != program.weighsSamples else { return }
        let next = try TrainingProgram(
            network, losses: losses, weights: lossWeights, optimizer: optimizer, options, weighsSamples: weighsSamples,
            epoch: epoch)
        guard next.graph.states.map({ $0.name }) == program.graph.states.map({ $0.name }) else {
            throw .argument("a network that was made quantization-aware after its trainer, wanted before")
        }
        let planned = try Trainer.session(next, threads: threads, profile: profiles)
        let states = copyStates()
        session.destroy()
        (program, session) = (next, planned)
        setStates(states)
    }

    public convenience init(
        _ network: Network, loss: any Loss, optimizer: any Optimizer, metrics: [any Metric] = [], batchSize: Int = 32,
        seed: UInt64 = 0, threads: Int? = nil, window: Int? = nil, gradientAccumulation: Int = 1,
        weightAverage: ExponentialMovingAverage? = nil, profile: Bool = false, exact: Bool = false, recompute: Bool = false,
        precision: ComputePrecision = .f32
    ) throws(ApusError) {
        try self.init(
            network, losses: [loss], optimizer: optimizer, metrics: metrics, batchSize: batchSize, seed: seed,
            threads: threads, window: window, gradientAccumulation: gradientAccumulation, weightAverage: weightAverage,
            profile: profile, exact: exact, recompute: recompute, precision: precision)
    }

    deinit { session.destroy() }

    // MARK: One step

    /// The rate of the next step.
    public var learningRate: Double { learningRate(atStep: progress.step) }

    func learningRate(atStep step: Int) -> Double {
        (learningRateOverride ?? optimizer.learningRate.rate(atStep: step)) * learningRateScale
    }

    /// Trains on one batch, outside any epoch, and returns its loss. In training by windows it is the next window. Where
    /// gradients accumulate, each `gradientAccumulation`-th changes the weights, and `updateWeights`. The network gets the
    /// trained values by `updateNetwork`.
    @discardableResult
    public func step(_ batch: Batch) throws(ApusError) -> Double {
        try plan(epoch: progress.epoch, weighsSamples: batch.weights != nil)
        try takeNewValues()
        let rate = learningRate
        let loss = try run(batch, learningRate: rate)
        if try endStep(learningRate: rate) { progress.step += 1 }
        return loss
    }

    /// One run of `train_step`, progress left alone; `endStep` follows it.
    func run(_ batch: Batch, learningRate: Double) throws(ApusError) -> Double {
        guard learningRate >= 0 && learningRate.isFinite else {
            throw .argument("learning rate \(learningRate) of step \(progress.step), wanted a finite one of 0 or more")
        }
        try bind(batch, learningRate: learningRate, to: session)
        try session.run()
        return try scalar(program.lossOutput)
    }

    /// Sets the inputs of `train_step`.
    func bind(_ batch: Batch, learningRate: Double, to session: Session) throws(ApusError) {
        guard batch.count <= batchSize else {
            throw .shape("a batch of \(batch.count) samples, wanted at most \(batchSize)")
        }
        try session.setDimension(Network.batch, batch.count)
        let inputs = try network.ordered(batch.inputs, as: inputNames, "inputs")
        try network.checkIndices(inputs.lazy.map { $0.tensor }, samples: batch.indices)
        for (i, input) in inputs.enumerated() { try session.set(input: i, input.tensor) }
        for (i, target) in try targets(batch).enumerated() {
            let prediction = program.graph.functions[0].outputs[program.firstPrediction + i].type
            try losses[i].check(target.tensor, for: prediction, samples: batch.indices)
            try session.set(input: inputs.count + i, target.tensor)
        }
        // Of the update, or the batch's share in it.
        var last = Float(gradientAccumulation == 1 ? learningRate : Double(batch.count) / Double(batchSize))
        try withUnsafeBytes(of: &last) { bytes throws(ApusError) in
            try session.setInput(inputs.count + outputNames.count, bytes)
        }
        if let weights = batch.weights { try session.set(input: inputs.count + outputNames.count + 1, weights) }
    }

    /// A batch's targets, one per output.
    func targets(_ batch: Batch) throws(ApusError) -> [NamedTensor] {
        try network.ordered(batch.targets, as: outputNames, "targets")
    }

    /// A scalar output of the last step.
    func scalar(_ output: Int) throws(ApusError) -> Double {
        Double(try session.address(.output, function: 0, output).loadUnaligned(as: Float.self))
    }

    /// What the network's output was in the last step.
    func prediction(_ output: Int) throws(ApusError) -> Tensor {
        try session.tensor(output: program.firstPrediction + output)
    }
}
