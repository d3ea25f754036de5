import ApusGraph

/// What the values of a function were on samples: one histogram each, in memory that does not depend on how many samples
/// there are.
public final class Calibration {
    private let graph: Graph
    private let function: Int
    private var histograms: [Histogram?]
    private var channels: [ChannelStatistics?]
    private var observed: (dimensions: [Int], function: ObservedFunction)?
    public private(set) var sampleCount = 0
    private let threads: Int

    public init(_ graph: Graph, function: Int = 0, threads: Int = 1) throws(ApusError) {
        self.graph = graph
        self.function = function
        self.threads = threads
        let types = try ValidGraph(validating: graph).types(ofFunction: function, dimensions: graph.maxima)
        histograms = types.map { $0.dtype == .f32 ? Histogram() : nil }
        channels = types.map { $0.dtype == .f32 && $0.shape.rank > 1 ? ChannelStatistics($0.shape.last) : nil }
    }

    /// Runs one sample, or a batch of them, which the symbolic dimension is that leads every input: a tensor for each input.
    public func observe(_ inputs: [Tensor]) throws(ApusError) {
        try graph.functions[function].checkFinite(inputs)
        let dimensions = graph.dimensions(function: function, of: inputs)
        if observed?.dimensions != dimensions {
            observed = nil
            observed = (
                dimensions,
                try ObservedFunction(graph, function: function, dimensions: dimensions, threads: threads)
            )
        }
        guard let run = observed?.function else { return }
        try run.run(inputs)
        for (local, tensor) in inputs.enumerated() where histograms[local] != nil {
            tensor.withUnsafeBytes { add($0.bindMemory(to: Float.self), to: local) }
        }
        for local in inputs.count..<histograms.count where histograms[local] != nil {
            add(try run.floats(local), to: local)
        }
        sampleCount += graph.functions[function].sampleCount(dimensions)
    }

    private func add(_ values: UnsafeBufferPointer<Float>, to local: Int) {
        histograms[local]?.add(values)
        channels[local]?.add(values)
    }

    /// Per local of the function what its channels were; nil where it has no axis of them, or was never seen.
    var channelStatistics: [ChannelStatistics?] { channels.map { $0.flatMap { $0.count > 0 ? $0 : nil } } }

    /// Per local of the function the codes for it; nil for what is not f32 or was never seen.
    public func codes(_ method: CalibrationMethod) -> [CodeScale?] {
        histograms.map { $0.flatMap { $0.total > 0 ? method.codes($0) : nil } }
    }
}

extension Function {
    /// Refuses inputs of which no range or loss can be told.
    public func checkFinite(_ tensors: [Tensor]) throws(ApusError) {
        for (input, tensor) in zip(inputs, tensors) where tensor.dtype == .f32 {
            let stray = tensor.withUnsafeBytes { bytes in
                bytes.bindMemory(to: Float.self).enumerated().first { !$0.element.isFinite }
            }
            if let stray {
                throw .argument("'\(input.name)' is \(stray.element) in f32 at element \(stray.offset), wanted finite numbers")
            }
        }
    }

    /// How many samples inputs are that give the symbolic dimensions these values.
    fileprivate func sampleCount(_ dimensions: [Int]) -> Int {
        let leading = Set(inputs.map { $0.type.shape.dimensions.first ?? 0 })
        guard leading.count == 1, let extent = leading.first, extent < 0 else { return 1 }
        return dimensions[-1 - extent]
    }
}
