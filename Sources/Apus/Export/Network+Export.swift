import ApusGraph

/// What golden pairs of an exported file are made of.
public enum GoldenSource: Sendable {
    case none
    /// One or two pairs of random inputs within the inputs' contracts.
    case random(seed: UInt64)
    /// One pair of these inputs.
    case samples([Tensor])
}

extension Network {
    /// The graph that ships: folded, fused and packed, and on integers where the network is
    /// quantization-aware. What `predict` and `evaluate` run is exactly this, so they give
    /// the bits that the exported file gives.
    public func exportGraph(
        maximumBatch: Int = 64, steps: StepOptions? = nil, options: ExportOptions = ExportOptions()
    ) throws(ApusError) -> Graph {
        try quantization?.requireRanges(parameters)
        return try untrainedExportGraph(maximumBatch: maximumBatch, steps: steps, options: options)
    }

    /// The same for what does not depend on ranges, which quantization-aware training has yet to find.
    func untrainedExportGraph(
        maximumBatch: Int, steps: StepOptions? = nil, options: ExportOptions = ExportOptions()
    ) throws(ApusError) -> Graph {
        let graph = try inferenceGraph(maximumBatch: maximumBatch, steps: steps)
        guard let quantization else { return try Export.optimize(graph, options) }
        guard steps == nil else { throw .unsupported("steps of a quantization-aware network") }
        return try quantization.integerGraph(graph, parameters, options)
    }

    /// Writes the network as an .apus file, with golden pairs to check it by on other machines. With `steps` it also runs as a
    /// stream, element by element: whole = step by step, bit for bit.
    public func export(
        to path: String, maximumBatch: Int = 64, steps: StepOptions? = nil, goldens: GoldenSource = .random(seed: 0),
        options: ExportOptions = ExportOptions()
    ) throws(ApusError) {
        let graph = try exportGraph(maximumBatch: maximumBatch, steps: steps, options: options)
        switch goldens {
        case .none: break
        case .random(let seed): try Goldens.add(to: graph, seed: seed)
        case .samples(let samples): try Goldens.add(to: graph, samples: samples)
        }
        try ModelWriter.write(graph, to: path)
    }
}

extension Network {
    /// States what the numbers of an input mean, in the exported file.
    ///
    /// - Throws: `.invalidArgument` for an input that there is not.
    public func setContract(_ contract: InputContract, ofInput index: Int = 0) throws(ApusError) {
        guard inputs.indices.contains(index) else { throw .argument("input \(index), wanted 0 ..< \(inputs.count)") }
        (inputs[index].call.layer as? InputLayer)?.contract = contract
    }
}
