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

    private let source: Source
    let count: Int
    /// A class for each sample.
    private let classes: [Int32]?
    let isSynthetic: Bool
    /// Of symbolic dimensions that are no batch, where samples are drawn.
    private static let longest = 64

    init(_ text: String, for graph: Graph, synthetic count: Int) throws(ApusError) {
        let function = graph.functions[0]
        isSynthetic = text == "synthetic"
        if isSynthetic {
            let batches = Set(function.inputs.compactMap { $0.type.shape.dimensions.first })
            let dimensions = graph.dimensions.enumerated().map { index, symbol in
                max(symbol.minimum, min(symbol.maximum, batches.contains(-1 - index) ? 1 : CalibrationData.longest))
            }
            source = .drawn(graph, dimensions)
            self.count = count
            classes = nil
            return
        }
        let inputs: [Tensor]
        if text.contains(":") {
            let data = try DataSource(text).read()
            guard function.inputs.count == 1 else {
                throw .unsupported("\(text) for a model of \(function.inputs.count) inputs, wanted an .npz with all of them")
            }
            let input = function.inputs[0], raw = data.inputs[0].tensor
            do throws(ApusError) {
                inputs = [try ModelInputs.conform(try input.contract?.normalization(raw) ?? raw, input)]
            } catch {
                throw error.within("\(text)")
            }
            classes = data.isClassification ? try data.targets[0].tensor.array(of: Int32.self) : nil
        } else {
            inputs = try ModelInputs.read([text], for: function)
            classes = nil
        }
        source = .tensors(inputs)
        let isBatched = function.inputs.allSatisfy { $0.type.shape.rank > 0 && $0.type.shape[0] < 0 }
        self.count = isBatched ? inputs.map { $0.rowCount }.min() ?? 0 : 1
        guard self.count > 0 else { throw .argument("\(text): no sample") }
    }

    /// Indices of at most so many samples, evenly spaced.
    func chosen(_ limit: Int) -> [Int] { limit >= count ? Array(0..<count) : (0..<limit).map { $0 * count / limit } }

    func sample(_ index: Int) throws(ApusError) -> [Tensor] {
        switch source {
        case .drawn(let graph, let dimensions):
            return try Goldens.randomInputs(of: graph, function: 0, dimensions: dimensions, seed: UInt64(index) + 1)
        case .tensors(let inputs):
            guard count > 1 else { return inputs }
            var sample: [Tensor] = []
            for input in inputs { sample.append(try input.rows(index..<index + 1)) }
            return sample
        }
    }

    var hasClasses: Bool { classes != nil }

    /// The share, in percent, of samples for which the greatest element of the first output is at the label.
    func accuracy(_ graph: Graph, samples: [Int]) throws(ApusError) -> Double {
        guard let classes else { throw .argument("accuracy of samples without classes") }
        let run = try ModelRun(try ApusRuntime.Model(graph), function: 0)
        var right = 0
        for index in samples {
            let output = try run.outputs(try sample(index))[0].tensor.doubles()
            if output.indices.max(by: { output[$0] < output[$1] }) == Int(classes[index]) { right += 1 }
        }
        return 100 * Double(right) / Double(samples.count)
    }
}
