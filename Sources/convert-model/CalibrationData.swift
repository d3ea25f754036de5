import Apus
import ApusGraph
import ApusRuntime
import ToolSupport

/// Samples for a graph's first function, one at a time, and labels where there are some.
struct CalibrationData {
    private enum Source {
        /// The inputs, all samples together.
        case tensors([Tensor])
        /// Drawn one by one within the inputs' contracts, for these dimensions.
        case drawn(Graph, [Int])
    }

    /// As the command line names them.
    private let name: String
    private let function: Function
    private let source: Source
    let count: Int
    /// Of each input the rows of one sample; nil where it has no axis of samples.
    private let rowsOfSample: [Int?]
    /// A class for each sample.
    private let classes: [Int32]?
    private let classifier: Classifier?
    let isSynthetic: Bool
    /// Of symbolic dimensions that are no batch, where samples are drawn.
    private static let longest = 64

    init(_ text: String, for graph: Graph, synthetic count: Int) throws(ApusError) {
        let function = graph.functions[0]
        (name, self.function) = (text, function)
        isSynthetic = text == "synthetic"
        if isSynthetic {
            let batches = Set(function.inputs.compactMap { $0.type.shape.dimensions.first })
            let dimensions = graph.dimensions.enumerated().map { index, symbol in
                max(symbol.minimum, min(symbol.maximum, batches.contains(-1 - index) ? 1 : CalibrationData.longest))
            }
            source = .drawn(graph, dimensions)
            self.count = count
            rowsOfSample = []
            (classes, classifier) = (nil, nil)
            return
        }
        let inputs: [Tensor]
        var found: [Int32]?
        if DataSource.names(text) {
            var data = try DataSource(text).read()
            guard function.inputs.count == 1 else {
                throw .unsupported("\(text) for a model of \(function.inputs.count) inputs, wanted an .npz with all of them")
            }
            let input = function.inputs[0], raw = data.inputs[0].tensor
            do throws(ApusError) {
                inputs = [try ModelInputs.conform(try input.contract?.normalization(raw) ?? raw, input, severalBatches: true)]
                data = try data.renumbered(to: function.outputs.first?.labels ?? [])
            } catch {
                throw error.within("\(text)")
            }
            found = data.isClassification ? try data.targets[0].tensor.array(of: Int32.self) : nil
        } else {
            inputs = try ModelInputs.read([text], for: function, severalBatches: true)
        }
        source = .tensors(inputs)
        let rows = function.inputs.map { $0.type.shape.rank == 0 ? nil : max(1, $0.type.shape[0]) }
        rowsOfSample = rows
        let isBatched = Set(function.inputs.map { $0.type.shape.rank == 0 ? 0 : $0.type.shape[0].signum() }).count == 1
        let counts = isBatched ? zip(inputs, rows).map { $1 == nil ? 1 : $0.rowCount / $1! } : [1]
        self.count = counts.min() ?? 0
        if let other = counts.firstIndex(where: { $0 != counts[0] }) {
            // One sample may lead with dimensions of several sizes.
            let symbols = Set(function.inputs.map { min(0, $0.type.shape[0]) })
            guard symbols.count > 1, self.count == 1 else {
                let names = function.inputs.map { $0.name }
                throw .shape(
                    "\(text): \(counts[0]) samples of '\(names[0])' and \(counts[other]) of '\(names[other])', wanted as many")
            }
        }
        guard self.count > 0 else { throw .argument("\(text): no sample") }
        let classifier = Classifier(graph)
        if let classifier, let found, rows == [1], found.allSatisfy({ classifier.classes.contains(Int($0)) }) {
            (classes, self.classifier) = (found, classifier)
        } else {
            (classes, self.classifier) = (nil, nil)
        }
    }

    /// Indices of at most so many samples, evenly spaced.
    func chosen(_ limit: Int) -> LazyMapSequence<Range<Int>, Int> {
        let chosen = min(limit, count)
        return (0..<chosen).lazy.map { chosen.dividingFullWidth(count.multipliedFullWidth(by: $0)).quotient }
    }

    func sample(_ index: Int) throws(ApusError) -> [Tensor] {
        let inputs = try unchecked(index)
        do throws(ApusError) { try function.checkFinite(inputs) } catch { throw error.within("\(name): sample \(index)") }
        return inputs
    }

    private func unchecked(_ index: Int) throws(ApusError) -> [Tensor] {
        switch source {
        case .drawn(let graph, let dimensions):
            return try Goldens.randomInputs(of: graph, function: 0, dimensions: dimensions, seed: UInt64(index) + 1)
        case .tensors(let inputs):
            guard count > 1 else { return inputs }
            var sample: [Tensor] = []
            for (input, rows) in zip(inputs, rowsOfSample) {
                sample.append(try rows.map { rows throws(ApusError) in try input.rows(index * rows..<(index + 1) * rows) } ?? input)
            }
            return sample
        }
    }

    var hasClasses: Bool { classes != nil }

    /// The share, in percent, of samples whose class the first output says.
    func accuracy(_ graph: Graph, samples: some Collection<Int>) throws(ApusError) -> Double {
        guard let classes, let classifier else { throw .argument("accuracy of samples without classes") }
        let run = try ModelRun(try ApusRuntime.Model(graph), function: 0)
        var right = 0.0
        for index in samples {
            var accuracy = classifier.accuracy
            let output = try run.outputs(try sample(index))[0].tensor
            try accuracy.update(
                predictions: try output.reshaped([1, output.count]), targets: try Tensor([classes[index]], shape: [1]))
            right += accuracy.value
        }
        return 100 * right / Double(samples.count)
    }
}
