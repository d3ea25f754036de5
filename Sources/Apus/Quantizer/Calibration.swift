import ApusGraph

/// What the values of a function were on samples: one histogram each, in memory that does not depend on how many samples
/// there are.
public final class Calibration {
    private let graph: Graph
    private let function: Int
    private var histograms: [Histogram?]
    private var observed: (dimensions: [Int], function: ObservedFunction)?
    public private(set) var sampleCount = 0
    private let threads: Int

    public init(_ graph: Graph, function: Int = 0, threads: Int = 1) throws(ApusError) {
        self.graph = graph
        self.function = function
        self.threads = threads
        let types = try ValidGraph(validating: graph).types(ofFunction: function, dimensions: graph.maxima)
        histograms = types.map { $0.dtype == .f32 ? Histogram() : nil }
    }

    /// Runs one sample, or a batch of them: a tensor for each input.
    public func observe(_ inputs: [Tensor]) throws(ApusError) {
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
            tensor.withUnsafeBytes { histograms[local]?.add($0.bindMemory(to: Float.self)) }
        }
        for local in inputs.count..<histograms.count where histograms[local] != nil {
            histograms[local]?.add(try run.floats(local))
        }
        sampleCount += dimensions.first ?? 1
    }

    /// Per local of the function the codes for it; nil for what is not f32 or was never seen.
    public func codes(_ method: CalibrationMethod) -> [CodeScale?] {
        histograms.map { $0.flatMap { $0.total > 0 ? method.codes($0) : nil } }
    }
}
