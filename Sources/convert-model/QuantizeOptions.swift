import Apus
import ArgumentParser
import Foundation
import ToolSupport

extension QuantizationScheme: ExpressibleByArgument {}
extension CalibrationMethod: ExpressibleByArgument {}

/// What quantization takes.
struct QuantizeOptions: ParsableArguments {
    @Option(help: "Compute on integers or store weights as such: int8, int8-dynamic, w8, w4, w4-dynamic, f16 or bf16.")
    var quantize: QuantizationScheme?

    @Option(help: ArgumentHelp(
        "Samples for the ranges of int8: KIND:PATH[,PATH…] as for apus train, an .npz with the inputs, or synthetic.",
        valueName: "data"))
    var calibrate: String?

    @Option(help: "How many samples to calibrate with, evenly spaced over the data; 300 by default.")
    var calibrationSamples: Int?

    @Option(help: "How ranges of int8 are chosen: mse, the default, minmax, percentile or entropy.")
    var method: CalibrationMethod?

    @Option(help: ArgumentHelp("A node that stays real; may be repeated.", valueName: "node"))
    var keepFloat: [String] = []

    @Option(help: "The most points of accuracy that may be lost; the worst nodes stay real until it holds, no more than that needs.")
    var maxDrop: Double?

    @Flag(help: "Even out the weights of products that follow one another, before int8: cross-layer equalization.")
    var equalize = false

    @Flag(
        inversion: .prefixedNo,
        help: "Take what rounded weights change in the mean of int8 products' outputs off their biases.")
    var correctBias = false

    @Option(help: ArgumentHelp(
        "SmoothQuant: move outliers of layer norms into weights before int8, by an α of 0 … 1, such as 0.5.", valueName: "α"))
    var smooth: Double?

    @Option(help: "Rows of a weight matrix that share a scale in w4 and w4-dynamic: 32, the default, 64 or 128.")
    var block: Int?

    @Flag(
        inversion: .prefixedNo,
        help: "Time both models for the report, the default. Without, the same input gives the same bytes.")
    var timing: Bool?

    @Flag(help: "Write the file even where --max-drop does not hold.")
    var force = false

    @Option(help: ArgumentHelp("Write the report, as .html or .json.", valueName: "file"))
    var quantizationReport: String?

    func validate() throws {
        try OptionNeed.check(needs)
        if let block, ![32, 64, 128].contains(block) { throw ValidationError("'--block \(block)', wanted 32, 64 or 128") }
        if let smooth, !(0...1).contains(smooth) { throw ValidationError("'--smooth \(smooth)', wanted 0 … 1") }
        if let calibrationSamples, !(1...1_000_000_000).contains(calibrationSamples) {
            throw ValidationError("'--calibration-samples \(calibrationSamples)', wanted 1 … 1000000000")
        }
        if let maxDrop, !(maxDrop >= 0) { throw ValidationError("'--max-drop \(maxDrop)', wanted 0 or more") }
        guard quantize != .int8 || calibrate != nil else {
            throw ValidationError("'--quantize int8' needs '--calibrate DATA', or '--calibrate synthetic'")
        }
        if let report = quantizationReport, !report.hasSuffix(".html"), !report.hasSuffix(".json") {
            throw ValidationError("'--quantization-report \(report)', wanted a name ending in .html or .json")
        }
        guard maxDrop == nil || calibrate.map(DataSource.names) == true else {
            throw ValidationError("'--max-drop' needs labelled data: '--calibrate KIND:PATH'")
        }
    }

    private var needs: [(name: String, isGiven: Bool, need: OptionNeed)] {
        let any = OptionNeed("'--quantize'", quantize != nil), int8 = OptionNeed("'--quantize int8'", quantize == .int8)
        let blocks = OptionNeed("'--quantize w4' or 'w4-dynamic'", quantize == .w4 || quantize == .w4Dynamic)
        return [
            ("--calibrate", calibrate != nil, any), ("--calibration-samples", calibrationSamples != nil, any),
            ("--method", method != nil, int8), ("--keep-float", !keepFloat.isEmpty, any), ("--max-drop", maxDrop != nil, any),
            ("--equalize", equalize, int8), ("--correct-bias", correctBias, int8), ("--smooth", smooth != nil, int8),
            ("--block", block != nil, blocks), (timing == true ? "--timing" : "--no-timing", timing != nil, any),
            ("--force", force, OptionNeed("'--max-drop'", maxDrop != nil)),
            ("--quantization-report", quantizationReport != nil, any),
        ]
    }

    /// The files that are read.
    var files: [String] {
        guard let calibrate else { return [] }
        return DataSource.names(calibrate) ? (try? DataSource(calibrate))?.paths ?? [] : [calibrate]
    }

    var options: QuantizationOptions {
        var options = QuantizationOptions(
            quantize ?? .int8, method: method ?? .mse, keepFloat: Set(keepFloat), block: block ?? 32)
        (options.equalizes, options.correctsBias, options.smoothing) = (equalize, correctBias, smooth)
        return options
    }
}
