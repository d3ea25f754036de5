import Apus
import ApusGraph
import ApusRuntime
import ArgumentParser
import Foundation
import ToolSupport

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a function on inputs from files.",
        discussion: """
            apus run digits.apus picture.png
            apus run model.apus x=x.npy y=y.npy -o outputs.npz

            Inputs are .npy, .npz (arrays matched by name), .png, .jpg, or files of the tensor's bytes. Pictures, and u8 \
            data for a real input that has a contract, are taken through the contract.
            """)

    @Argument(help: "An .apus file.")
    var model: String

    @Argument(help: "PATH in the order of the inputs, or NAME=PATH.")
    var inputs: [String]

    @Option(name: [.short, .long], help: "Write the outputs to an .npz file, or the first to an .npy file.")
    var output: String?

    @Option(help: "The function to run; the first by default.")
    var function: String?

    @OptionGroup var threading: ThreadsOption

    @Flag(help: "Resize pictures to the input's size.")
    var resize = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard let output else { return }
        guard output.hasSuffix(".npy") || output.hasSuffix(".npz") else {
            throw ValidationError("--output \(output), wanted a name that ends in .npy or .npz")
        }
        let named = inputs.compactMap { input in input.firstIndex(of: "=").map { String(input[input.index(after: $0)...]) } }
        _ = try WrittenFiles([("--output", output)], reading: inputs + named)
    }

    func run() throws {
        let console = common.console(toolName)
        let opened = try ApusRuntime.Model(path: model)
        let index = try opened.graph.function(named: function)
        let declaration = opened.graph.functions[index]
        let tensors = try ModelInputs.read(inputs, for: declaration, resizingPictures: resize)
        let outputs = try ModelRun(opened, function: index, threads: threading.threads).outputs(tensors)
        if let output {
            if output.hasSuffix(".npy") {
                guard let first = outputs.first else { throw ApusError.argument("\(model): no output to write") }
                try NPY.write(first.tensor, to: output)
            } else {
                try NPZ.write(outputs, to: output)
            }
            console.progress("wrote \(output)")
        }
        if common.json {
            var report: [OutputReport] = []
            for (named, edge) in zip(outputs, declaration.outputs) {
                report.append(
                    OutputReport(
                        name: named.name, dtype: named.tensor.dtype.name, shape: named.tensor.shape, labels: edge.labels,
                        values: try named.tensor.doubles()))
            }
            try console.json(report)
        } else if output == nil {
            for (named, edge) in zip(outputs, declaration.outputs) {
                try console.result(try text(named, labels: edge.labels))
            }
        }
    }

    /// A heading, then a line for each row along the last axis; where there are labels, the likeliest one beside it, unless a
    /// value is NaN.
    private func text(_ named: NamedTensor, labels: [String]) throws -> String {
        let values = try named.tensor.doubles()
        let width = max(1, named.tensor.shape.last ?? 1)
        var text = "\(named.name) \(named.tensor)".printable + "\n"
        for start in stride(from: 0, to: values.count, by: width) {
            let row = values[start..<start + width]
            text += row.map { named.tensor.dtype.isFloat ? String(format: "%.6g", $0) : "\(Int($0))" }
                .joined(separator: " ")
            if labels.count == width, !row.contains(where: \.isNaN), let best = row.indices.max(by: { row[$0] < row[$1] }) {
                text += "  → \(labels[best - start].printable)"
            }
            text += "\n"
        }
        return text
    }
}

private struct OutputReport: Encodable {
    let name: String
    let dtype: String
    let shape: [Int]
    let labels: [String]
    let values: [Double]
}
