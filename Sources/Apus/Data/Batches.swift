import ApusGraph

/// Some samples of an epoch.
public struct Batch: Sendable {
    /// The place of the batch in its epoch, from 0.
    public let position: Int
    /// The samples' indices in their source.
    public let indices: [Int]
    public let inputs: [NamedTensor]
    public let targets: [NamedTensor]
    /// What each sample counts in the loss, f32 [count]; nil: 1.
    public internal(set) var weights: Tensor?

    /// The number of samples.
    public var count: Int { indices.count }
}

extension Batch {
    /// All samples of a dataset, for a training loop of one's own.
    public init(_ dataset: Dataset) {
        self.init(
            position: 0, indices: Array(0..<dataset.count), inputs: dataset.inputs, targets: dataset.targets,
            weights: dataset.weights)
    }
}

/// The batches of one epoch, in their order.
///
/// A batch is a pure function of the source, the size, the seed, the epoch and its position. `batch(at:)` makes any
/// one; iterating makes them ahead on a thread of its own, which ends with the iteration.
public struct Batches: Sequence, Sendable {
    public let source: any SampleSource
    public let size: Int
    public let epoch: Int
    /// The number of batches in the epoch.
    public let count: Int
    /// Where an iteration begins.
    public let start: Int

    private let seed: UInt64
    private let order: [Int]
    private let augmentation: [Augmentation]
    private let ahead: Int
    /// The rows of a dataset are what its fields say.
    private let isInMemory: Bool

    init(
        _ source: any SampleSource, size: Int, shuffleSeed: UInt64?, epoch: Int, dropLast: Bool,
        augmentation: [Augmentation], start: Int, ahead: Int
    ) throws(ApusError) {
        guard size > 0 else { throw .argument("the batch size is \(size), wanted 1 or more") }
        guard ahead > 0 else { throw .argument("\(ahead) batches are to be made ahead, wanted 1 or more") }
        let samples = source.count
        guard samples >= 0 else { throw .argument("a source of \(samples) samples, wanted 0 or more") }
        count = samples / size + (!dropLast && samples % size > 0 ? 1 : 0)
        guard 0...count ~= start else { throw .argument("batch \(start) is outside the epoch's \(count)") }
        for step in augmentation { try step.validate() }
        let fields = source.inputFields
        if !augmentation.isEmpty, !fields.contains(where: { Self.isPicture($0.dtype, [samples] + $0.shape) }) {
            let found = fields.map { "\"\($0.name)\" \($0.dtype.name) \([samples] + $0.shape)" }.joined(separator: ", ")
            throw .shape("augmentation wants an input [N, H, W, C] of u8 or f32, found \(found)")
        }
        self.source = source
        isInMemory = source is Dataset
        self.size = size
        self.epoch = epoch
        self.start = start
        self.seed = shuffleSeed ?? 0
        self.augmentation = augmentation
        self.ahead = ahead
        if let shuffleSeed {
            var random = SampleRandom(.shuffle, seed: shuffleSeed, epoch: epoch)
            order = random.permutation(samples)
        } else {
            order = Array(0..<samples)
        }
    }

    /// The batch at a position below `count`.
    public func batch(at position: Int) throws(ApusError) -> Batch {
        guard position >= 0, position < count else {
            throw .argument("batch \(position) is outside the epoch's \(count)")
        }
        let first = position * size
        let indices = Array(order[first..<first + Swift.min(size, order.count - first)])
        let samples = try isInMemory ? source.rows(indices) : source.checkedRows(indices)
        return Batch(
            position: position, indices: indices,
            inputs: try augmentation.isEmpty ? samples.inputs : samples.inputs.map(augmented(indices)),
            targets: samples.targets, weights: samples.weights)
    }

    public func makeIterator() -> BatchIterator { BatchIterator(self, ahead: ahead) }

    private static func isPicture(_ dtype: DType, _ shape: [Int]) -> Bool {
        shape.count == 4 && !shape.contains(0) && (dtype == .u8 || dtype == .f32)
    }

    private func augmented(_ indices: [Int]) -> (NamedTensor) throws(ApusError) -> NamedTensor {
        { input throws(ApusError) in
            guard Self.isPicture(input.tensor.dtype, input.tensor.shape) else { return input }
            let tensor = input.tensor.dtype == .u8
                ? try changed(input.tensor, indices, of: UInt8.self)
                : try changed(input.tensor, indices, of: Float.self)
            return NamedTensor(input.name, tensor)
        }
    }

    private func changed<Pixel: TensorScalar & Numeric>(
        _ tensor: Tensor, _ indices: [Int], of type: Pixel.Type
    ) throws(ApusError) -> Tensor {
        let augmenter = Augmenter<Pixel>(
            steps: augmentation, seed: seed, epoch: epoch, height: tensor.shape[1], width: tensor.shape[2],
            channels: tensor.shape[3])
        let scratch = UnsafeMutablePointer<Pixel>.allocate(capacity: augmenter.pictureSize)
        defer { scratch.deallocate() }
        var result = tensor
        try result.withUnsafeMutableScalars(of: type) { pixels throws(ApusError) in
            for (row, index) in indices.enumerated() {
                augmenter.apply(
                    to: pixels.baseAddress! + row * augmenter.pictureSize, index: index, scratch: scratch)
            }
        }
        return result
    }
}

extension SampleSource {
    /// The batches of an epoch.
    ///
    /// - Parameters:
    ///   - size: samples in a batch; the last has the rest, unless `dropLast` leaves it out.
    ///   - shuffleSeed: draws the order of each epoch, and the augmentation; without it the order is the source's.
    ///   - augmentation: steps applied to every sample, in order.
    ///   - start: the batch an iteration begins with, to resume within an epoch.
    ///   - ahead: how many batches wait at most.
    public func batches(
        size: Int, shuffleSeed: UInt64? = nil, epoch: Int = 0, dropLast: Bool = false,
        augmentation: [Augmentation] = [], startingAt start: Int = 0, ahead: Int = 2
    ) throws(ApusError) -> Batches {
        try Batches(
            self, size: size, shuffleSeed: shuffleSeed, epoch: epoch, dropLast: dropLast, augmentation: augmentation,
            start: start, ahead: ahead)
    }
}
