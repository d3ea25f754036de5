import Apus
import ApusConvert
import ApusGraph
import ArgumentParser
import Foundation
import ToolSupport

/// What the export of an ONNX model takes.
struct ExportToOnnxOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The function to export, 'predict' unless there is but one.", valueName: "name"))
    var function: String?

    @Flag(help: "Write weights beside the model, to OUTPUT.data; models beyond 2 GB always are.")
    var externalData = false

    var options: OnnxExportOptions {
        var options = OnnxExportOptions()
        options.function = function
        options.externalData = externalData
        return options
    }
}

/// What the import of an ONNX model or of a checkpoint takes.
struct ImportOptions: ParsableArguments {
    @Option(help: ArgumentHelp(
        """
        Bounds of a symbolic dimension, its one value, or another dimension that it equals; may be repeated. Others: 1:32 of a \
        leading axis, 1:256 of another.
        """,
        valueName: "name=min:max"))
    var dim: [String] = []

    @Option(help: ArgumentHelp("Make an input a constant; may be repeated.", valueName: "input=value.npy"))
    var fix: [String] = []

    @Option(help: ArgumentHelp(
        """
        Make an input a state of the session, zeros at first and in each run what the output gave in the run before; may be repeated.
        """,
        valueName: "input=output"))
    var state: [String] = []

    @Option(help: "How to report what keeps a model from being imported.")
    var report: ReportFormat = .text

    func validate() throws {
        for (option, texts) in [("--dim", dim), ("--fix", fix), ("--state", state)] {
            var values: [String: String] = [:]
            for text in texts {
                guard let (name, value) = try? ImportOptions.pair(text, option) else { continue }
                if let first = values.updateValue(value, forKey: name) {
                    throw ValidationError("'\(option) \(name)' given as \(first) and as \(value), wanted once")
                }
            }
        }
    }

    /// The files that are read.
    var files: [String] { fix.compactMap { try? ImportOptions.pair($0, "--fix").1 } }

    var options: OnnxOptions {
        get throws {
            var options = OnnxOptions()
            for text in dim {
                let (name, value) = try ImportOptions.pair(text, "--dim")
                if value.contains(where: { $0.isLetter }) {
                    options.same[name] = value
                } else {
                    options.dimensions[name] = try ImportOptions.bounds(value, of: name)
                }
            }
            for text in state {
                let (input, output) = try ImportOptions.pair(text, "--state")
                options.states[input] = output
            }
            for text in fix {
                let (name, path) = try ImportOptions.pair(text, "--fix")
                options.fixed[name] = try NPY.read(path)
            }
            return options
        }
    }

    /// The last "=" divides, since names of ONNX may hold some.
    private static func pair(_ text: String, _ option: String) throws -> (String, String) {
        guard let equals = text.lastIndex(of: "=") else {
            throw ApusError.argument("\(option) '\(text)', wanted name=value")
        }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    private static func bounds(_ text: String, of name: String) throws -> ClosedRange<Int> {
        let numbers = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(numbers.count), let low = numbers[0], let high = numbers.last!, low >= 0, low <= high,
            high <= Shape.maximumExtent
        else { throw ApusError.argument("--dim \(name)=\(text), wanted min:max with 0 ≤ min ≤ max, one number, or a dimension") }
        return low...high
    }
}

enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}
