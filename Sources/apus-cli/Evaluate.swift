import Apus
import ApusGraph
import ApusRuntime
import ArgumentParser
import Foundation
import ToolSupport

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures a model on samples with known answers.",
        discussion: """
            apus evaluate mnist.apus --data idx:test-images.gz,test-labels.gz

            Classes: accuracy, top-5 where there are more than five, precision, recall, F1 and the confusion matrix. One \
            column of output for two classes: accuracy and AUROC. Tokens that follow tokens: accuracy, top-5 and perplexity. \
            Numbers: MAE and RMSE. Raw samples are taken through the input's contract. Classes are those of the model, by \
            their names where it and the data have some.
            """)

    @Argument(help: "An .apus file.")
    var model: String

    @Option(help: "Samples, KIND:PATH[,PATH…] as for train.")
    var data: String

    @Option(help: "The function to run; the first by default.")
    var function: String?

    @Option(help: "Of a model with one output column: what counts as the second class. 0 for logits.")
    var threshold = 0.5

    @Flag(help: "The samples are what the model reads, not raw data.")
    var noContract = false

    @OptionGroup var threading: ThreadsOption

    @Option(help: "Exit with 1 below this accuracy.")
    var minimumAccuracy: Double?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard threshold.isFinite else { throw ValidationError("--threshold \(threshold), wanted a number") }
        if let minimumAccuracy, !minimumAccuracy.isFinite {
            throw ValidationError("--minimum-accuracy \(minimumAccuracy), wanted a number")
        }
    }

    func run() throws {
        let console = common.console(toolName)
        let opened = try ApusRuntime.Model(path: model)
        let index = try opened.graph.function(named: function)
        guard opened.graph.functions[index].inputs.count == 1, let output = opened.graph.functions[index].outputs.first
        else { throw ApusError.unsupported("\(model): evaluate needs a function of one input and an output") }
        let input = opened.graph.functions[index].inputs[0]
        let isLanguage = input.type.dtype.isInteger && output.type.shape.rank == input.type.shape.rank + 1
        let source = try DataSource(data), read = isLanguage ? try source.read(classPerElement: true) : try source.source()
        let samples: any SampleSource
        do throws(ApusError) { samples = try read.numbered(by: output.labels) } catch { throw error.within("\(data)") }
        console.progress("\(model): \(Quantity.counted(samples.count, "sample"))")
        let run = try ModelRun(opened, function: index, threads: threading.threads)
        var parts: [Tensor] = [], targets: [Tensor] = [], first = 0
        // What is in memory goes at once, other samples some at a time: whole batches, where the model fixes them.
        let batch = max(1, input.type.shape.rank > 0 ? input.type.shape[0] : 1)
        let chunk = samples is Dataset ? max(1, samples.count) : batch * max(1, 256 / batch)
        repeat {
            let rows = try samples.rows(Array(first..<min(first + chunk, samples.count))), raw = rows.inputs[0].tensor
            let inputs: Tensor
            do throws(ApusError) {
                let prepared = noContract ? raw : try input.contract?.normalization(raw) ?? raw
                inputs = try ModelInputs.conform(prepared, input, severalBatches: true)
            } catch {
                throw error.within("\(data)")
            }
            parts.append(try run.outputs([inputs])[0].tensor)
            targets.append(rows.targets[0].tensor)
            first += chunk
        } while first < samples.count
        let predictions = try Tensor.concatenated(parts)
        if let element = try predictions.doubles().firstIndex(where: { $0.isNaN }) {
            let sample = element * predictions.rowCount / predictions.count
            throw ApusError.argument("\(model): output '\(output.name)' is NaN for sample \(sample) of \(data), wanted numbers")
        }
        let labels = output.labels.isEmpty ? samples.classNames : output.labels
        let report = try Evaluation(predictions, try .concatenated(targets), threshold: threshold, labels: labels)
        if common.json { try console.json(report) } else { try console.result(report.text) }
        if let minimumAccuracy {
            let accuracy = report.values["accuracy"] ?? .nan
            guard accuracy >= minimumAccuracy else {
                console.complain("accuracy \(accuracy), wanted \(minimumAccuracy) or more")
                throw ExitCode(.failure)
            }
        }
    }
}

/// Metrics of predictions for samples.
struct Evaluation: Encodable {
    let samples: Int
    private(set) var values: [String: Double] = [:]
    private(set) var confusion: [[Int]]?
    private let labels: [String]

    init(_ predictions: Tensor, _ targets: Tensor, threshold: Double, labels: [String]) throws(ApusError) {
        samples = targets.rowCount
        self.labels = labels
        var metrics: [any Metric]
        if targets.dtype != .i32 {
            metrics = [MeanAbsoluteError(), RootMeanSquaredError()]
        } else if targets.shape.count > 1 {
            metrics = [Accuracy(), Perplexity()]
            if (predictions.shape.last ?? 0) > 5 { metrics.append(TopKAccuracy(k: 5)) }
        } else if predictions.shape.last == 1 {
            metrics = [BinaryAccuracy(threshold: threshold), AUROC()]
        } else {
            metrics = [Accuracy(), Precision(), Recall(), F1()]
            if (predictions.shape.last ?? 0) > 5 { metrics.append(TopKAccuracy(k: 5)) }
            var matrix = ConfusionMatrix()
            try matrix.update(predictions: predictions, targets: targets)
            confusion = matrix.counts
        }
        for i in metrics.indices {
            try metrics[i].update(predictions: predictions, targets: targets)
            values[metrics[i].name] = metrics[i].value
        }
    }

    var text: String {
        var text = "samples \(samples)\n"
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            text += "\(name) " + String(format: "%.6g", value) + "\n"
        }
        guard let confusion else { return text }
        text += "\nrows are the true classes, columns the predicted ones\n"
        let width = max(4, confusion.joined().map { "\($0)".count }.max() ?? 0)
        for (i, row) in confusion.enumerated() {
            let cells = row.map { String(repeating: " ", count: width - "\($0)".count) + "\($0)" }
            text += cells.joined(separator: " ") + "  " + (i < labels.count ? labels[i].printable : "\(i)") + "\n"
        }
        return text
    }

    private enum CodingKeys: String, CodingKey { case samples, values, confusion }
}
