import ApusGraph

/// Post-training quantization: from a graph on real numbers to one that computes on integers.
public struct Quantizer {
    private let source: Graph
    /// The real graph, prepared: its first function, weights plain, activations that are not bounds apart.
    public let real: Graph
    public let options: QuantizationOptions
    private static let beforePacking = ExportOptions(disabled: ["choose-algorithms", "convert-weights", "pack-weights"])
    public let calibration: Calibration

    /// Prepares the first function of a graph. Throws where it does not validate.
    public init(_ graph: Graph, _ options: QuantizationOptions = QuantizationOptions(), threads: Int = 1) throws(ApusError) {
        source = graph
        self.options = options
        let prepared = try Export.optimize(try graph.plain(function: 0), Quantizer.beforePacking)
        real = options.scheme == .int8 ? try prepared.plain(function: 0) : prepared
        calibration = try Calibration(real, threads: threads)
    }

    /// Per local of the real function its codes; a planted fault changes one.
    var codes: [CodeScale?] { codesOverride ?? calibration.codes(options.method) }
    var codesOverride: [CodeScale?]?

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
                        + "int8-dynamic, w8 and w4 take several")
            }
            guard calibration.sampleCount > 0 else { throw .argument("int8 without a sample to calibrate with") }
            var translation = try IntegerTranslation(real, codes: codes, keepFloat: kept)
            graph = try translation.run()
        case .int8Dynamic, .w8, .w4:
            graph = try whole()
            _ = try Export.optimize(graph, Quantizer.beforePacking)
            guard try WeightOnly.quantize(graph, options.scheme, block: options.block, keepFloat: kept) > 0 else {
                throw .unsupported("\(options.scheme.rawValue) of a model without dense layers of 32 rows or more")
            }
        case .f16, .bf16:
            graph = try whole()
        }
        let dtype: DType? = options.scheme == .f16 ? .f16 : options.scheme == .bf16 ? .bf16 : nil
        return try Export.optimize(graph, ExportOptions(weights: dtype))
    }

    /// Every function, weights plain.
    private func whole() throws(ApusError) -> Graph { try source.plain(functions: source.functions.indices) }
}
