import Apus
import ApusGraph
import Foundation
import ToolSupport

/// Calibrates and quantizes a graph, keeps nodes real until accuracy holds, and reports.
struct Quantization {
    private let options: QuantizeOptions
    private let console: Console
    private let source: Graph
    /// Samples that accuracy is measured on at most.
    private static let measuredSamples = 2000
    private static let reportedSamples = 32

    init(_ options: QuantizeOptions, _ source: Graph, _ console: Console) {
        self.options = options
        self.source = source
        self.console = console
    }

    func run() throws -> (graph: Graph, report: QuantizationReport) {
        var quantizer = try Quantizer(source, options.options)
        let count = options.calibrationSamples ?? 300
        let data = try CalibrationData(options.calibrate ?? "synthetic", for: quantizer.real, synthetic: count)
        let chosen = data.chosen(count)
        if quantizer.options.scheme == .int8 {
            for _ in 0..<(quantizer.needsSmoothing ? 2 : 1) {
                for (i, index) in chosen.enumerated() {
                    if i % 50 == 0 { console.progress("calibrating: \(i) of \(chosen.count) samples") }
                    try quantizer.observe(try data.sample(index))
                }
                if quantizer.needsSmoothing { try quantizer.smooth() }
            }
        }
        var kept: Set<String> = []
        var graph = try quantizer.quantized()
        var metric: (real: Double, quantized: Double)?
        guard data.hasClasses || options.maxDrop == nil else {
            throw ApusError.argument("--max-drop of data without a class that the first output tells apart for each sample")
        }
        if data.hasClasses {
            let samples = data.chosen(Quantization.measuredSamples)
            let real = try data.accuracy(quantizer.real, samples: samples)
            metric = (real, try data.accuracy(graph, samples: samples))
            if let bound = options.maxDrop {
                (graph, kept) = try held(bound, real, quantizer, graph, data, samples)
                metric?.quantized = try data.accuracy(graph, samples: samples)
            }
        }
        console.progress("measuring what was lost")
        var samples: [[Tensor]] = []
        for index in data.chosen(Quantization.reportedSamples) { samples.append(try data.sample(index)) }
        var report = try QuantizationReport(
            quantizer, graph, keepFloat: kept, samples: samples, classified: data.hasClasses, timed: options.timing ?? true)
        if let metric {
            (report.metric, report.realMetric, report.quantizedMetric) = ("accuracy", metric.real, metric.quantized)
        }
        graph.metadata.append(("quantization", try Quantization.json(report, .sortedKeys)))
        if data.isSynthetic && quantizer.options.scheme == .int8 { graph.metadata.append(("calibration", "uncalibrated")) }
        return (graph, report)
    }

    /// A page, or JSON where the name does not end in .html.
    static func write(_ report: QuantizationReport, of graph: Graph, to path: String) throws {
        let text = path.hasSuffix(".html")
            ? report.html(title: graph.name) : try json(report, [.sortedKeys, .prettyPrinted]) + "\n"
        try AtomicFile.write(Array(text.utf8), to: path)
    }

    private static func json(_ report: QuantizationReport, _ formatting: JSONEncoder.OutputFormatting) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        encoder.nonConformingFloatEncodingStrategy = Console.nonConformingFloats
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }

    /// Keeps the nodes that lose most real, one after another, until no more than `bound` points are lost, then gives back those
    /// that others have made needless.
    private func held(
        _ bound: Double, _ real: Double, _ quantizer: Quantizer, _ first: Graph, _ data: CalibrationData,
        _ samples: some Collection<Int>
    ) throws -> (Graph, Set<String>) {
        func drop(_ graph: Graph) throws -> Double { real - (try data.accuracy(graph, samples: samples)) }
        func tried(_ kept: [String]) throws -> (graph: Graph, drop: Double) {
            let graph = try quantizer.quantized(keepFloat: Set(kept)), drop = try drop(graph)
            console.progress("\(kept.count) nodes real: \(Quantity.digits(drop)) points lost")
            return (graph, drop)
        }
        var kept: [String] = [], found = (graph: first, drop: try drop(first))
        if found.drop <= bound { return (first, []) }
        var few: [[Tensor]] = []
        for index in data.chosen(8) { few.append(try data.sample(index)) }
        let report = try QuantizationReport(quantizer, first, samples: few, timed: false)
        // What else computes on integers reads what products made.
        let candidates = options.options.scheme == .int8 ? quantizer.products : first.nodesOfNarrowConstants
        for node in report.nodes where found.drop > bound && candidates.contains(node.name) {
            kept.append(node.name)
            found = try tried(kept)
        }
        guard found.drop <= bound || options.force else {
            throw ApusError.argument(
                "\(Quantity.digits(found.drop)) points of accuracy lost with every product real, wanted \(bound) or less; "
                    + "--force writes it")
        }
        // Without the last one the bound did not hold.
        for name in kept.dropLast().reversed() where found.drop <= bound {
            let fewer = kept.filter { $0 != name }, other = try tried(fewer)
            if other.drop <= bound { (kept, found) = (fewer, other) }
        }
        return (found.graph, Set(kept))
    }
}

extension Graph {
    /// Names of the first function's nodes that read a constant of less than 32 bits an element.
    fileprivate var nodesOfNarrowConstants: Set<String> {
        let nodes = functions[0].nodes.filter { node in
            node.inputs.contains { if case .constant(let index) = $0 { constants[index].type.dtype.bitWidth < 32 } else { false } }
        }
        return Set(nodes.map { $0.name })
    }
}
