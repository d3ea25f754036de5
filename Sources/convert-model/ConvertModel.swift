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
        abstract: "Imports and rewrites a model: ONNX or a checkpoint in; folds, fuses, packs, narrows weights, writes C arrays.",
        discussion: """
            convert-model model.onnx -o model.apus
            convert-model model.onnx -o model.apus --dim batch=1:64 --verify random
            convert-model all-MiniLM-L6-v2/ -o minilm.apus --dim tokens=1:128
            convert-model in.apus -o out.apus
            convert-model in.apus -o half.apus --weights f16
            convert-model in.apus -o digits.h --c-header digits

            Exit codes: 0 done, 1 the system or a check failed, 2 the input cannot be used, 64 wrong usage.
            """,
        version: ApusVersion.text)

    @Argument(help: "The model to read: .onnx, .apus, or a folder with config.json and safetensors.")
    var input: String?

    @Option(name: [.short, .long], help: "The file to write.")
    var output: String?

    @Flag(help: "List the rewriting passes and stop.")
    var passes = false

    @Option(help: ArgumentHelp("Leave a pass out; may be repeated.", valueName: "pass"))
    var disable: [String] = []

    @Flag(help: "Write the graph as it is.")
    var keep = false

    @Option(help: "Store weights as f32, f16 or bf16.")
    var weights: WeightType?

    @Option(help: ArgumentHelp("Write a C header with the model as an array of this name.", valueName: "name"))
    var cHeader: String?

    @Flag(help: "List the operators this version knows and stop.")
    var listOperators = false

    @Option(help: ArgumentHelp("Run the graph as read and as rewritten on these inputs and compare.", valueName: "inputs.npz|random"))
    var verify: String?

    @OptionGroup(title: "ONNX") var onnx: ImportOptions

    @Option(help: "The part of its largest value that --verify lets an output differ by; 1e-4, narrow weights 2e-2.")
    var tolerance: Double?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if passes || listOperators { return }
        guard input != nil else { throw ValidationError("Missing expected argument '<input>'") }
        guard output != nil || verify != nil else { throw ValidationError("Missing expected option '-o <output>'") }
    }

    func run() throws {
        let console = common.console("convert-model")
        if passes { return try listPasses(console) }
        if listOperators { return try listOperators(console) }
        let source = try open(console)
        let conversion: ModelConversion
        do {
            conversion = try ModelConversion(
                source, ExportOptions(disabled: Set(disable), weights: weights?.dtype), rewrites: !keep)
        } catch {
            throw error.within("\(input!)")
        }
        var bytes = try conversion.bytes()
        let verified = try verify.map { path in try differences(conversion, inputs: path) }
        if let output {
            if let cHeader {
                let name = URL(fileURLWithPath: input!).lastPathComponent
                bytes = try CHeader.text(bytes, name: cHeader, comment: "\(name), \(bytes.count) bytes")
            }
            try AtomicFile.write(bytes, to: output)
        }
        let report = ConversionReport(conversion, output: output, bytes: bytes.count, verified)
        if common.json { try console.json(report) } else if !common.quiet { try console.result(report.text) }
        let limit = tolerance ?? (weights == nil || weights == .f32 ? 1e-4 : 2e-2)
        if let complaint = verified?.complaint(beyond: limit) {
            console.complain(complaint)
            throw ExitCode(.failure)
        }
    }

    /// The graph of the input. What keeps an ONNX model from being imported is printed, all of it.
    private func open(_ console: Console) throws -> Graph {
        let progress = ImportProgress(console)
        switch try ModelConversion.open(input!, try onnx.options, progress: progress.update) {
        case .success(let graph):
            return graph
        case .failure(let blocked):
            if common.json || onnx.report == .json {
                try console.json(["blocked": blocked.blocks])
            } else {
                try console.result(blocked.text)
            }
            console.complain("\(input!): \(blocked.blocks.count) parts of the model are in the way")
            throw ExitCode(.unusableInput)
        }
    }

    /// The outputs of the model after conversion and before, on the same inputs.
    private func differences(_ conversion: ModelConversion, inputs path: String) throws -> [OutputDifference] {
        let inputs: [Tensor]
        if path == "random" {
            let graph = conversion.source
            let dimensions = graph.dimensions.map { min($0.maximum, max(2, $0.minimum)) }
            inputs = try Goldens.randomInputs(of: graph, function: 0, dimensions: dimensions)
        } else {
            inputs = try ModelInputs.read([path], for: conversion.source.functions[0])
        }
        return try OutputDifference.between(
            try ModelRun(try ApusRuntime.Model(conversion.graph), function: 0).outputs(inputs),
            try ModelRun(try ApusRuntime.Model(conversion.source), function: 0).outputs(inputs))
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
        let entries = operatorTable.entries.sorted { $0.code.rawValue < $1.code.rawValue }
        if common.json { return try console.json(entries.map { $0.name }) }
        var table = TextTable(">code", "operator")
        for entry in entries { table.add("\(entry.code.rawValue)", entry.name) }
        try console.result(table.text)
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
