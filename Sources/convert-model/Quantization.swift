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
        let data = try CalibrationData(
            options.calibrate ?? "synthetic", for: quantizer.real, synthetic: options.calibrationSamples)
        let chosen = data.chosen(options.calibrationSamples)
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
            quantizer, graph, keepFloat: kept, samples: samples, classified: data.hasClasses, timed: options.timing)
        if let metric {
            (report.metric, report.realMetric, report.quantizedMetric) = ("accuracy", metric.real, metric.quantized)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = Console.nonConformingFloats
        graph.metadata.append(("quantization", String(decoding: try encoder.encode(report), as: UTF8.self)))
        if data.isSynthetic && quantizer.options.scheme == .int8 { graph.metadata.append(("calibration", "uncalibrated")) }
        if let path = options.quantizationReport {
            encoder.outputFormatting.insert(.prettyPrinted)
            let text = path.hasSuffix(".html") ? report.html(title: source.name)
                : String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
            try AtomicFile.write(Array(text.utf8), to: path)
        }
        return (graph, report)
    }

    /// Keeps the nodes of most isolated noise real, one after another, until no more than `bound` points are lost.
    private func held(
        _ bound: Double, _ real: Double, _ quantizer: Quantizer, _ first: Graph, _ data: CalibrationData, _ samples: [Int]
    ) throws -> (Graph, Set<String>) {
        var graph = first, kept: Set<String> = []
        func lost() throws -> Double { real - (try data.accuracy(graph, samples: samples)) }
        var drop = try lost()
        if drop <= bound { return (graph, kept) }
        var few: [[Tensor]] = []
        for index in data.chosen(8) { few.append(try data.sample(index)) }
        let report = try QuantizationReport(quantizer, graph, samples: few, timed: false)
        for node in report.nodes where node.isolated != nil && drop > bound {
            kept.insert(node.name)
            graph = try quantizer.quantized(keepFloat: kept)
            drop = try lost()
            console.progress("\(kept.count) nodes real: \(Quantity.digits(drop)) points lost")
        }
        guard drop <= bound || options.force else {
            throw ApusError.argument(
                "\(Quantity.digits(drop)) points of accuracy lost with every product real, wanted \(bound) or less; --force writes it")
        }
        return (graph, kept)
    }
}
