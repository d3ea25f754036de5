import ApusGraph

/// The affine map from raw numbers to what a model reads, per channel c of the last dimension:
/// y = (x · scale − mean[c]) / std[c]. It is what the input contract of an .apus file states.
public struct Normalization: Sendable, Equatable {
    public var scale: Float
    /// One a channel, or empty for 0.
    public var mean: [Float]
    /// One a channel and positive, or empty for 1.
    public var std: [Float]

    public init(scale: Float = 1, mean: [Float] = [], std: [Float] = []) {
        self.scale = scale
        self.mean = mean
        self.std = std
    }

    /// The mean and the population's standard deviation of each channel of `tensor`, after `scale`. A channel that
    /// never varies has the deviation 1.
    public init(of tensor: Tensor, scale: Float = 1) throws(ApusError) {
        guard tensor.count > 0 else { throw .argument("\(tensor) has no elements to take a mean of") }
        try self.init(elements: tensor.count, channels: tensor.shape.last ?? 1, scale: scale) { visit throws(ApusError) in
            try visit(tensor)
        }
    }

    /// The same of a source's first input, which is read twice, some samples at a time.
    public init(of source: some SampleSource, scale: Float = 1) throws(ApusError) {
        let count = source.count, shape = source.inputFields.first?.shape ?? []
        guard count > 0, !shape.contains(0) else {
            throw .argument("a source of \(count) samples \(shape) has no elements to take a mean of")
        }
        let chunk = max(1, (1 << 20) / shape.reduce(1, *))
        try self.init(
            elements: count * shape.reduce(1, *), channels: shape.last ?? count, scale: scale
        ) { visit throws(ApusError) in
            for first in stride(from: 0, to: count, by: chunk) {
                try visit(try source.checkedRows(Array(first..<min(first + chunk, count))).inputs[0].tensor)
            }
        }
    }

    /// Mean and variance in two passes, which lose nothing to cancellation; `pass` shows all the elements in their order.
    private init(
        elements: Int, channels: Int, scale: Float, pass: ((Tensor) throws(ApusError) -> Void) throws(ApusError) -> Void
    ) throws(ApusError) {
        let count = Double(elements / channels)
        var sums = [Double](repeating: 0, count: channels)
        func add(means: [Double]?) throws(ApusError) {
            try pass { tensor throws(ApusError) in
                sums = try tensor.dtype.dispatch(
                    ChannelSums(tensor: tensor, scale: Double(scale), means: means, before: sums))
            }
        }
        try add(means: nil)
        let means = sums.map { $0 / count }
        sums = [Double](repeating: 0, count: channels)
        try add(means: means)
        self.init(
            scale: scale, mean: means.map { Float($0) },
            std: sums.map { $0 / count > 0 ? Float(($0 / count).squareRoot()) : 1 })
    }

    /// The map applied to a tensor of any number type; the result is f32.
    public func callAsFunction(_ tensor: Tensor) throws(ApusError) -> Tensor {
        let channels = tensor.shape.last ?? 1
        for (what, values) in [("means", mean), ("deviations", std)] where ![0, channels].contains(values.count) {
            throw .shape("found \(values.count) \(what) for \(tensor), wanted \(channels)")
        }
        if let bad = std.first(where: { !($0 > 0) }) { throw .argument("found the deviation \(bad), wanted positive") }
        return try tensor.dtype.dispatch(Apply(normalization: self, tensor: tensor, channels: channels))
    }
}

extension Dataset {
    /// The first input's channel means and deviations, after `scale`: fit them on the training samples only.
    public func normalization(scale: Float = 1) throws(ApusError) -> Normalization {
        try Normalization(of: inputs[0].tensor, scale: scale)
    }

    /// Every input under the map, as f32.
    public func normalized(by normalization: Normalization) throws(ApusError) -> Dataset {
        try mapInputs { input throws(ApusError) in try normalization(input.tensor) }
    }

    /// Every input times `scale`, as f32; 1/255 brings bytes to 0...1.
    public func scaled(by scale: Float) throws(ApusError) -> Dataset {
        try normalized(by: Normalization(scale: scale))
    }

    /// Every input with its own channels at mean 0 and deviation 1. To treat other samples alike, take
    /// `normalization()` here and apply `normalized(by:)` to both.
    public func standardized() throws(ApusError) -> Dataset {
        try mapInputs { input throws(ApusError) in try Normalization(of: input.tensor)(input.tensor) }
    }
}

/// Sums per channel over a tensor, added to those before: of x · scale, and where means are given of (x · scale − mean)².
private struct ChannelSums: ScalarVisitor {
    let tensor: Tensor
    let scale: Double
    let means: [Double]?
    let before: [Double]

    func visit<Scalar: TensorScalar>(_ type: Scalar.Type) throws(ApusError) -> [Double] {
        let channels = before.count
        var sums = before
        tensor.withUnsafeBytes { bytes in
            let values = bytes.bindMemory(to: Scalar.self)
            guard channels > 0 else { return }
            for row in stride(from: 0, to: values.count, by: channels) {
                for c in 0..<channels {
                    let value = values[row + c].asDouble * scale
                    if let means {
                        sums[c] += (value - means[c]) * (value - means[c])
                    } else {
                        sums[c] += value
                    }
                }
            }
        }
        return sums
    }
}

private struct Apply: ScalarVisitor {
    let normalization: Normalization
    let tensor: Tensor
    let channels: Int

    func visit<Scalar: TensorScalar>(_ type: Scalar.Type) throws(ApusError) -> Tensor {
        let zeros = Array(repeating: Float(0), count: channels)
        let ones = Array(repeating: Float(1), count: channels)
        let mean = normalization.mean.isEmpty ? zeros : normalization.mean
        let std = normalization.std.isEmpty ? ones : normalization.std
        let scale = normalization.scale
        return try Tensor(dtype: .f32, shape: tensor.shape) { bytes throws(ApusError) in
            let result = bytes.bindMemory(to: Float.self)
            tensor.withUnsafeBytes { bytes in
                let values = bytes.bindMemory(to: Scalar.self)
                guard channels > 0 else { return }
                for row in stride(from: 0, to: values.count, by: channels) {
                    for c in 0..<channels {
                        result[row + c] = (Float(values[row + c].asDouble) * scale - mean[c]) / std[c]
                    }
                }
            }
        }
    }
}
