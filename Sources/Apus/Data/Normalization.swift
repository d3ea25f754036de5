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
        let channels = tensor.shape.last ?? 1
        guard tensor.count > 0 else { throw .argument("\(tensor) has no elements to take a mean of") }
        let moments = try tensor.dtype.dispatch(Moments(tensor: tensor, channels: channels, scale: Double(scale)))
        self.init(
            scale: scale, mean: moments.mean.map { Float($0) },
            std: moments.variance.map { $0 > 0 ? Float($0.squareRoot()) : 1 })
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

/// Mean and variance per channel in two passes, which lose nothing to cancellation.
private struct Moments: ScalarVisitor {
    let tensor: Tensor
    let channels: Int
    let scale: Double

    func visit<Scalar: TensorScalar>(_ type: Scalar.Type) throws(ApusError) -> (mean: [Double], variance: [Double]) {
        let count = Double(tensor.count / channels)
        return tensor.withUnsafeBytes { bytes in
            let values = bytes.bindMemory(to: Scalar.self)
            var mean = Array(repeating: 0.0, count: channels)
            for row in stride(from: 0, to: values.count, by: channels) {
                for c in 0..<channels { mean[c] += values[row + c].asDouble * scale }
            }
            for c in 0..<channels { mean[c] /= count }
            var variance = Array(repeating: 0.0, count: channels)
            for row in stride(from: 0, to: values.count, by: channels) {
                for c in 0..<channels {
                    let distance = values[row + c].asDouble * scale - mean[c]
                    variance[c] += distance * distance
                }
            }
            for c in 0..<channels { variance[c] /= count }
            return (mean, variance)
        }
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
