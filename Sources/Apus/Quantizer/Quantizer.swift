import ApusGraph

/// Post-training quantization: from a graph on real numbers to one that computes on integers.
public struct Quantizer {
    private let source: Graph
    /// The real graph, prepared: its first function, weights plain, activations that are not bounds apart.
    public private(set) var real: Graph
    public let options: QuantizationOptions
    private static let beforePacking = ExportOptions(disabled: ["choose-algorithms", "convert-weights", "pack-weights"])
    public private(set) var calibration: Calibration
    private let threads: Int
    /// What was done to the real graph beforehand, and to which nodes.
    public private(set) var steps: [QuantizationReport.Step] = []

    /// Prepares the first function of a graph. Throws where it does not validate, or computes on integers already.
    public init(_ graph: Graph, _ options: QuantizationOptions = QuantizationOptions(), threads: Int = 1) throws(ApusError) {
        for function in graph.functions {
            guard let node = function.nodes.first(where: { $0.op.isOnIntegers }) else { continue }
            throw .argument(
                "node '\(node.name)' (\(node.op.name)) computes on integers already, wanted a model on real numbers to quantize")
        }
        source = graph
        self.options = options
        real = options.scheme == .int8
            ? try Quantizer.prepared(graph) : try Export.optimize(try graph.plain(function: 0), Quantizer.beforePacking)
        self.threads = threads
        if options.equalizes && options.scheme == .int8 {
            steps.append(QuantizationReport.Step(name: "equalize", nodes: try ChannelScaling.equalize(real)))
        }
        calibration = try Calibration(real, threads: threads)
    }

    /// Whether samples must be seen once more, after `smooth`.
    public var needsSmoothing: Bool {
        options.scheme == .int8 && options.smoothing != nil && !steps.contains { $0.name == "smooth" }
    }

    /// Moves outliers of layer norms into the weights that read them, by what the samples so far were; then calibration begins
    /// anew.
    public mutating func smooth() throws(ApusError) {
        guard let alpha = options.smoothing, needsSmoothing else { return }
        let seen = calibration.channelStatistics
        let nodes = try ChannelScaling.smooth(real, alpha) { seen[$0]?.extremes }
        steps.append(QuantizationReport.Step(name: "smooth", nodes: nodes))
        calibration = try Calibration(real, threads: threads)
    }

    /// The first function of a graph as integers are made of it: folded and fused, weights plain, activations that are not
    /// bounds apart. With `keepsLayout` transposes stay where they are, so that every value is one of the graph given.
    static func prepared(_ graph: Graph, keepsLayout: Bool = false) throws(ApusError) -> Graph {
        var options = beforePacking
        if keepsLayout { options.disabled.insert(pushTransposesPass.name) }
        return try Export.optimize(try graph.plain(function: 0), options).plain(function: 0)
    }

    /// Per local of the real function its codes; a planted fault changes one.
    var codes: [CodeScale?] { codesOverride ?? calibration.codes(options.method) }
    var codesOverride: [CodeScale?]?

    /// Products whose bias is corrected.
    var correctedNodes: [String] {
        let seen = calibration.channelStatistics
        return real.functions[0].nodes.filter { node in
            guard let product = Product(node), case .local(let local) = product.x else { return false }
            return seen[local] != nil
        }.map { $0.name }
    }

    /// Names of the real graph's nodes that multiply weights.
    public var products: Set<String> { Set(real.functions[0].nodes.filter { Product($0) != nil }.map { $0.name }) }

    /// Shows the quantizer a sample, or a batch of them.
    public func observe(_ inputs: [Tensor]) throws(ApusError) { try calibration.observe(inputs) }

    /// The quantized graph, weights packed. Nodes in `keepFloat` stay real beside those that the options name.
    public func quantized(keepFloat: Set<String> = []) throws(ApusError) -> Graph {
        let kept = options.keepFloat.union(keepFloat)
        for name in kept where !real.functions[0].nodes.contains(where: { $0.name == name }) {
            throw .argument("no node '\(name)' to keep real")
        }
        let graph: Graph
        switch options.scheme {
        case .int8:
            guard source.functions.count == 1 else {
                throw .unsupported(
                    "int8 of a model with the functions \(source.functions.map { $0.name }.joined(separator: ", ")), wanted one; "
                        + "int8-dynamic, w8, w4 and w4-dynamic take several")
            }
            guard calibration.sampleCount > 0 else { throw .argument("int8 without a sample to calibrate with") }
            var translation = try IntegerTranslation(real, codes: codes, keepFloat: kept)
            if options.correctsBias { translation.channelMeans = calibration.channelStatistics.map { $0?.means } }
            graph = try translation.run()
            _ = try Quantizer.quantizeRest(of: graph, keepFloat: kept)
        case .int8Dynamic, .w8, .w4, .w4Dynamic:
            graph = try whole()
            _ = try Export.optimize(graph, Quantizer.beforePacking)
            _ = try IntegerTables.quantize(graph, options.scheme, block: options.block, keepFloat: kept)
            let dense = try WeightOnly.quantize(graph, options.scheme, block: options.block, keepFloat: kept)
            let recurrent = try StateWeights.quantize(graph, options.scheme, block: options.block, keepFloat: kept)
            guard dense + recurrent > 0 || !kept.isEmpty else {
                throw .unsupported("\(options.scheme.rawValue) of a model without dense or recurrent layers of 32 rows or more")
            }
        case .f16, .bf16:
            graph = try whole()
        }
        let dtype: DType? = options.scheme == .f16 ? .f16 : options.scheme == .bf16 ? .bf16 : nil
        return try Export.optimize(graph, ExportOptions(weights: dtype, keepFloat: kept))
    }

    /// What int8 does to the tables and recurrent layers of a translated graph; returns of how many.
    static func quantizeRest(of graph: Graph, keepFloat: Set<String>) throws(ApusError) -> Int {
        try IntegerTables.quantize(graph, .int8Dynamic, block: 0, keepFloat: keepFloat)
            + StateWeights.quantize(graph, .int8Dynamic, block: 0, keepFloat: keepFloat)
    }

    /// Every function, weights plain.
    private func whole() throws(ApusError) -> Graph { try source.plain(functions: source.functions.indices) }
}
