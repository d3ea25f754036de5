import Apus
import ApusConvert
import ApusGraph
import ApusRuntime
import ArgumentParser
import Foundation
import ToolSupport

@main
enum Main {
    static func main() { Tool.main(ConvertModel.self) }
}

struct ConvertModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert-model",
        abstract: "Converts a model: ONNX or a checkpoint in, ONNX out; folds, fuses, packs, narrows weights, writes C arrays.",
        discussion: """
            convert-model model.onnx -o model.apus
            convert-model model.onnx -o model.apus --dim batch=1:64 --verify random
            convert-model all-MiniLM-L6-v2/ -o minilm.apus --dim tokens=1:128
            convert-model gpt2/ -o gpt2.apus --steps 1,16 --quantize w8
            convert-model in.apus -o out.apus
            convert-model in.apus -o out.onnx
            convert-model in.apus -o half.apus --weights f16
            convert-model in.apus -o digits.h --c-header digits
            convert-model in.apus -o int8.apus --quantize int8 --calibrate idx:images.gz,labels.gz --max-drop 0.5

            Exit codes: 0 done, 1 the system or a check failed, 2 the input cannot be used, 64 wrong usage.
            """,
        version: ApusVersion.text)

    @Argument(help: "The model to read: .onnx, .apus, or a folder with config.json and safetensors.")
    var input: String?

    @Option(name: [.short, .long], help: "The file to write (ending in .apus or .onnx, or any name with --c-header).")
    var output: String?

    @Flag(help: "List the rewriting passes and stop.")
    var passes = false

    @Option(help: ArgumentHelp("Leave a pass out; may be repeated.", valueName: "pass"))
    var disable: [String] = []

    @Flag(help: "Write the graph as it is.")
    var keep = false

    @Flag(
        help: """
            No algorithm that rounds otherwise than one chain of multiply-adds, or spreads an infinite pixel or NaN beyond its \
            windows, as Winograd's convolution does.
            """)
    var exact = false

    @Option(help: "Store weights as f32, f16 or bf16.")
    var weights: WeightType?

    @Option(help: ArgumentHelp("Write a C header with the model as an array of this name.", valueName: "name"))
    var cHeader: String?

    @Flag(help: "List the operators of Apus and those that are imported from ONNX, and stop.")
    var listOperators = false

    @Flag(help: "The list of operators as Docs/Operators.md has it.")
    var markdown = false

    @Option(help: ArgumentHelp("Run the graph as read and as rewritten on these inputs and compare.", valueName: "inputs.npz|random"))
    var verify: String?

    @OptionGroup(title: "Quantization") var quantization: QuantizeOptions

    @OptionGroup(title: "ONNX") var onnx: ImportOptions

    @OptionGroup(title: "Streams") var stream: StreamOptions

    @OptionGroup(title: "ONNX out") var export: ExportToOnnxOptions

    @Option(help: ArgumentHelp(
        "The part of its largest value that --verify lets an output differ by; 1e-4, weights of f16 or bf16 2e-2, integers any."))
    var tolerance: Double?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        try OptionNeed.check(needs)
        if passes || listOperators { return }
        guard input != nil else { throw ValidationError("Missing expected argument '<input>'") }
        guard output != nil || verify != nil else { throw ValidationError("Missing expected option '-o <output>'") }
        if let tolerance, !(tolerance >= 0) { throw ValidationError("--tolerance \(tolerance), wanted 0 or more") }
        guard !writesOnnx || cHeader == nil else { throw ValidationError("'--c-header' holds an Apus model, not ONNX") }
        if let output, cHeader == nil {
            let ending = URL(fileURLWithPath: output).pathExtension.lowercased()
            guard ["", "apus", "onnx"].contains(ending) else {
                throw ValidationError("--output \(output), wanted a name ending in .apus or .onnx, or '--c-header'")
            }
        }
        _ = try files
    }

    private var needs: [(name: String, isGiven: Bool, need: OptionNeed)] {
        let isOnnx = input.map(ModelConversion.isOnnx) ?? false
        let importing = OptionNeed(
            "an input ending in .onnx, or a folder without '--steps'",
            isOnnx || stream.steps == nil && !(input.map { FileIdentity($0).isRegular } ?? false))
        let rewriting = OptionNeed("a conversion without '--quantize'", quantization.quantize == nil)
        let exporting = OptionNeed("an output ending in .onnx", writesOnnx)
        return [
            ("--dim", !onnx.dim.isEmpty, importing), ("--fix", !onnx.fix.isEmpty, importing),
            ("--state", !onnx.state.isEmpty, importing),
            ("--keep", keep, rewriting), ("--disable", !disable.isEmpty, rewriting), ("--exact", exact, rewriting),
            ("--function", export.function != nil, exporting), ("--external-data", export.externalData, exporting),
            ("--tolerance", tolerance != nil, OptionNeed("'--verify'", verify != nil)),
            ("--c-header", cHeader != nil, OptionNeed("'--output'", output != nil)),
            ("--markdown", markdown, OptionNeed("'--list-operators'", listOperators)),
            ("--json", common.json, OptionNeed("an output that is not standard output", !writesToStandardOutput)),
        ]
    }

    private var files: WrittenFiles {
        get throws {
            let data = writesOnnx ? output.map { $0 + ".data" } : nil
            let read = [input, verify == "random" ? nil : verify].compactMap { $0 }
            return try WrittenFiles(
                [("--output", output), ("--output", data), ("--quantization-report", quantization.quantizationReport)],
                reading: read + onnx.files + quantization.files)
        }
    }

    func run() throws {
        let console = common.console("convert-model")
        if passes { return try listPasses(console) }
        if listOperators { return try listOperators(console) }
        let progress = ConversionProgress(console)
        var warnings: [String] = []
        let read = try open(console, progress) { warnings.append($0) }
        try files.requireFolders()
        var source = read
        var lost: QuantizationReport?
        if quantization.quantize != nil {
            do { (source, lost) = try Quantization(quantization, read, console).run() } catch let error as ApusError {
                throw error.within("\(input!)")
            }
        }
        let conversion: ModelConversion
        do {
            // Panels are a layout of Apus.
            let unwanted = writesOnnx && weights == nil ? ["choose-algorithms", "pack-weights"] : []
            conversion = try ModelConversion(
                source, ExportOptions(disabled: Set(disable + unwanted), weights: weights?.dtype, exact: exact),
                rewrites: !keep && lost == nil,
                progress: progress.update)
        } catch {
            throw error.within("\(input!)")
        }
        let verified = try verify.map { path in try differences(conversion.graph, from: read, inputs: path) }
        let complaint = (tolerance ?? usualTolerance).flatMap { verified?.complaint(beyond: $0) }
        let size = complaint == nil ? try files.written { try write(conversion, lost, console, progress) } : 0
        let report = try ConversionReport(conversion, output: complaint == nil ? output : nil, bytes: size, verified, lost, warnings)
        if writesToStandardOutput {
            console.progress(report.text)
        } else if common.json {
            try console.json(report)
        } else {
            try console.result(report.text)
        }
        if let complaint {
            console.complain(complaint + (output.map { "; \($0) is not written" } ?? ""))
            throw ExitCode(.failure)
        }
    }

    /// nil where weights become integers: what that may change is for the caller to say.
    private var usualTolerance: Double? {
        switch quantization.quantize {
        case nil: weights == nil || weights == .f32 ? 1e-4 : 2e-2
        case .f16, .bf16: 2e-2
        case .int8, .int8Dynamic, .w8, .w4, .w4Dynamic: nil
        }
    }

    private var writesOnnx: Bool { output.map(ModelConversion.isOnnx) ?? false }
    private var writesToStandardOutput: Bool { output.map { FileIdentity($0).isEntry(.standardOutput) } ?? false }

    private func open(
        _ console: Console, _ progress: ConversionProgress, warn: (String) -> Void
    ) throws -> Graph {
        if let steps = try stream.options { return try ModelConversion.openStream(input!, steps, warn: warn) }
        return try unblocked(try ModelConversion.open(input!, try onnx.options, progress: progress.update, warn: warn), console)
    }

    /// Writes the report and the output, where there is one, and returns the size of the latter in bytes.
    private func write(
        _ conversion: ModelConversion, _ lost: QuantizationReport?, _ console: Console, _ progress: ConversionProgress
    ) throws -> Int {
        if let lost, let path = quantization.quantizationReport {
            try Quantization.write(lost, of: conversion.source, to: path)
        }
        guard let output else { return 0 }
        if writesOnnx { return try unblocked(try conversion.writeOnnx(to: output, export.options), console) }
        guard let cHeader else { return try conversion.write(to: output, progress: progress.update) }
        let bytes = try conversion.bytes()
        let name = URL(fileURLWithPath: input!).lastPathComponent
        let text = try CHeader.text(bytes, name: cHeader, comment: "\(name), \(bytes.count) bytes")
        try AtomicFile.write(text, to: output)
        return text.count
    }

    /// What an import or an export made. What keeps it from being made is printed, all of it.
    private func unblocked<R>(_ result: Result<R, OnnxBlocked>, _ console: Console) throws -> R {
        switch result {
        case .success(let made):
            return made
        case .failure(let blocked):
            if common.json || onnx.report == .json {
                try console.json(["blocked": blocked.blocks])
            } else {
                try console.result(blocked.text)
            }
            console.complain("\(input!): \(Quantity.counted(blocked.blocks.count, "part")) of the model in the way")
            throw ExitCode(.unusableInput)
        }
    }

    /// The outputs of the model as written and as read, on the same inputs.
    private func differences(_ written: Graph, from read: Graph, inputs path: String) throws -> [OutputDifference] {
        let inputs: [Tensor]
        if path == "random" {
            let dimensions = read.dimensions.map { min($0.maximum, max(2, $0.minimum)) }
            inputs = try Goldens.randomInputs(of: read, function: 0, dimensions: dimensions)
        } else {
            inputs = try ModelInputs.read([path], for: read.functions[0])
        }
        return try OutputDifference.between(
            try ModelRun(try ApusRuntime.Model(written), function: 0).outputs(inputs),
            try ModelRun(try ApusRuntime.Model(read), function: 0).outputs(inputs))
    }

    private func listPasses(_ console: Console) throws {
        if common.json {
            return try console.json(rewritePasses.map { ["name": $0.name, "summary": $0.summary] })
        }
        var table = TextTable("pass", "replaces")
        for pass in rewritePasses { table.add(pass.name, pass.summary) }
        try console.result(table.text)
    }

    private func listOperators(_ console: Console) throws {
        let catalog = try OperatorCatalog()
        if markdown { return try console.result(catalog.markdown) }
        if common.json { return try console.json(catalog) }
        func mark(_ flag: Bool) -> String { flag ? "yes" : "" }
        var table = TextTable(">field", "operator", "types", "gradient", "quantized", "library", "ONNX")
        for one in catalog.apus {
            table.add(
                "\(one.code)", one.name, one.types.joined(separator: " "), mark(one.hasGradient), mark(one.isQuantized),
                one.isInference ? "libapus" : "training", mark(one.isExported))
        }
        var imported = TextTable("imported from ONNX", "domain", ">from", ">to", "exported")
        for one in catalog.onnx {
            imported.add(one.name, one.domain, "\(one.oldest)", "\(one.newest)", mark(one.isExported))
        }
        try console.result(table.text + "\n" + imported.text)
    }
}

enum WeightType: String, ExpressibleByArgument, CaseIterable {
    case f32, f16, bf16

    var dtype: DType {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        }
    }
}
