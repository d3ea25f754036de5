import ApusGraph
import ApusRuntime

extension Network {
    /// The outputs for samples given input by input, each [samples, …]; for no samples [0, …].
    ///
    /// - Throws: `.badShape` for inputs of different numbers of samples, or that are not the network's; `.invalidArgument` for an
    ///   index outside −vocabulary ..< vocabulary of an `Embedding` that reads the input.
    public func predict(
        _ inputs: [Tensor], batchSize: Int = 64, threads: Int? = nil
    ) throws(ApusError) -> [Tensor] {
        guard let first = inputs.first else { throw .argument("predict without inputs") }
        guard let samples = first.shape.first else { throw .shape("'\(inputNames.first ?? "")' given as \(first), wanted [samples, …]") }
        guard batchSize >= 1 else { throw .argument("batch size \(batchSize), wanted 1 or more") }
        for (name, input) in zip(inputNames, inputs) where input.shape.first != samples {
            throw .shape("'\(name)' given as \(input), wanted \(samples) rows as '\(inputNames[0])' has")
        }
        if samples == 0 { return try predictNothing(inputs) }
        try checkIndices(inputs, samples: 0..<samples)
        let runner = try Runner(try exportGraph(maximumBatch: max(1, min(batchSize, samples))), threads: threads)
        var parts: [[Tensor]] = outputs.map { _ in [] }
        var start = 0
        while start < samples {
            let range = start..<min(start + batchSize, samples)
            var batch: [Tensor] = []
            for input in inputs { batch.append(try input.rows(range)) }
            for (i, output) in try runner.run(batch).enumerated() { parts[i].append(output) }
            start = range.upperBound
        }
        var results: [Tensor] = []
        for part in parts { results.append(try Tensor.concatenated(part)) }
        return results
    }

    /// The outputs of one sample of zeros, without their row.
    private func predictNothing(_ inputs: [Tensor]) throws(ApusError) -> [Tensor] {
        var samples: [Tensor] = []
        for input in inputs { samples.append(try .zeros(input.dtype, shape: [1] + input.shape.dropFirst())) }
        var results: [Tensor] = []
        for output in try predict(samples, threads: 1) { results.append(try output.rows(0..<0)) }
        return results
    }

    /// The outputs of a network with one input and one output.
    public func predict(_ input: Tensor, batchSize: Int = 64, threads: Int? = nil) throws(ApusError) -> Tensor {
        try predict([input], batchSize: batchSize, threads: threads)[0]
    }

    /// The outputs for the samples of a source, each [samples, …], made batch by batch.
    public func predict(
        _ data: any SampleSource, batchSize: Int = 64, threads: Int? = nil
    ) throws(ApusError) -> [Tensor] {
        guard batchSize >= 1 else { throw .argument("batch size \(batchSize), wanted 1 or more") }
        if data.count == 0 {
            let inputs = try ordered(data.rows([]).inputs, as: inputNames, "inputs")
            return try predictNothing(inputs.map { $0.tensor })
        }
        let size = min(batchSize, data.count)
        let runner = try Runner(try exportGraph(maximumBatch: size), threads: threads)
        var parts: [[Tensor]] = outputs.map { _ in [] }
        let iterator = try data.batches(size: size).makeIterator()
        while let batch = iterator.next() {
            let inputs = try ordered(batch.inputs, as: inputNames, "inputs").map { $0.tensor }
            try checkIndices(inputs, samples: batch.indices)
            for (i, output) in try runner.run(inputs).enumerated() { parts[i].append(output) }
        }
        try iterator.check()
        var results: [Tensor] = []
        for part in parts { results.append(try Tensor.concatenated(part)) }
        return results
    }

    /// Loss and metrics over samples, measured on the graph that ships. The loss is Σ weight · loss over the outputs,
    /// weights 1 by default; where there are several outputs, the loss of each follows, unweighted. Where the samples have
    /// weights, each loss is Σ w·l / n over them; metrics count them alike. Of no samples all are NaN.
    public func evaluate(
        _ data: any SampleSource, losses: [any Loss] = [], lossWeights: [Double] = [], metrics: [any Metric] = [],
        batchSize: Int = 64, threads: Int? = nil
    ) throws(ApusError) -> EpochLog {
        guard batchSize >= 1 else { throw .argument("batch size \(batchSize), wanted 1 or more") }
        try check(metrics)
        let batchSize = max(1, min(batchSize, data.count))
        let graph = try exportGraph(maximumBatch: batchSize)
        let evaluator = losses.isEmpty ? nil : try LossEvaluator(graph, losses, lossWeights, weighsSamples: data.hasWeights)
        let runner = try Runner(graph, threads: threads)
        var mean = MeanLoss(), means = losses.map { _ in MeanLoss() }
        var metrics = metrics
        for i in metrics.indices { metrics[i].reset() }
        let iterator = try data.batches(size: batchSize).makeIterator()
        while let batch = iterator.next() {
            let inputs = try ordered(batch.inputs, as: inputNames, "inputs")
            let targets = try ordered(batch.targets, as: outputNames, "targets").map { $0.tensor }
            try checkIndices(inputs.map { $0.tensor }, samples: batch.indices)
            let predictions = try runner.run(inputs.map { $0.tensor })
            if let evaluator {
                for (i, loss) in losses.enumerated() {
                    try loss.check(targets[i], for: predictions[i].type, samples: batch.indices)
                }
                let parts = try evaluator.losses(predictions, targets, batch.weights)
                for (i, part) in parts.enumerated() { means[i].update(loss: part, samples: batch.count) }
                mean.update(loss: evaluator.sum(parts), samples: batch.count)
            }
            for i in metrics.indices {
                let output = metrics[i].output
                try metrics[i].update(predictions: predictions[output], targets: targets[output])
            }
        }
        try iterator.check()
        var log = EpochLog(epoch: 0)
        if evaluator != nil { log["loss"] = mean.value }
        if means.count > 1 {
            for (i, mean) in means.enumerated() { log["\(outputName(i))_loss"] = mean.value }
        }
        for metric in metrics { log.add(metric, outputs: outputNames) }
        return log
    }
}

extension Network {
    /// Throws where a metric is of an output that there is not.
    func check(_ metrics: [any Metric]) throws(ApusError) {
        for metric in metrics where !outputs.indices.contains(metric.output) {
            throw .argument("metric '\(metric.name)' of output \(metric.output), wanted 0 ..< \(outputs.count)")
        }
    }
}

/// Runs the first function of a graph on tensors; the first extent of the inputs sets the symbol "batch".
public final class Runner {
    private let session: Session
    public var graph: Graph { session.model.graph }

    public init(_ graph: Graph, threads: Int? = nil) throws(ApusError) {
        var options = SessionOptions()
        options.threads = threads ?? Processors.count
        session = try Session(try ApusRuntime.Model(graph), options)
    }

    deinit { session.destroy() }

    public func run(_ inputs: [Tensor]) throws(ApusError) -> [Tensor] {
        let function = graph.functions[0]
        guard inputs.count == function.inputs.count else {
            throw .shape("\(inputs.count) inputs, wanted \(function.inputs.count)")
        }
        if graph.dimensions.count == 1, let samples = inputs.first?.shape.first {
            try session.setDimension(graph.dimensions[0].name, samples)
        }
        for (i, input) in inputs.enumerated() { try session.set(input: i, input) }
        try session.run()
        var outputs: [Tensor] = []
        for i in function.outputs.indices { outputs.append(try session.tensor(output: i)) }
        return outputs
    }
}

/// The losses of predictions already made, as a graph of their own.
private final class LossEvaluator {
    private let runner: Runner
    private let weights: [Double]

    init(_ graph: Graph, _ losses: [any Loss], _ weights: [Double], weighsSamples: Bool) throws(ApusError) {
        let count = graph.functions[0].outputs.count
        self.weights = weights.isEmpty ? losses.map { _ in 1 } : weights
        guard losses.count == count, self.weights.count == count else {
            throw .argument("\(losses.count) losses with \(self.weights.count) weights for \(count) outputs")
        }
        let own = Graph("loss")
        own.dimensions = graph.dimensions
        let builder = GraphBuilder(own, function: "evaluate")
        var pairs: [(Value, Value)] = []
        for (i, output) in graph.functions[0].outputs.enumerated() {
            let prediction = try builder.input("prediction_\(i)", output.type)
            let target = Network.symbolic(try losses[i].targetType(for: prediction.type))
            pairs.append((prediction, try builder.input("target_\(i)", target)))
        }
        let sampleWeights = weighsSamples ? try builder.input(TrainingProgram.sampleWeights, TensorType(.f32, [-1])) : nil
        for (i, pair) in pairs.enumerated() {
            let loss = try losses[i].value(pair.0, pair.1, weights: sampleWeights, builder)
            builder.output("loss_\(i)", loss, type: loss.type)
        }
        builder.finish()
        runner = try Runner(own, threads: 1)
    }

    /// Of each output, not times its weight.
    func losses(
        _ predictions: [Tensor], _ targets: [Tensor], _ sampleWeights: Tensor?
    ) throws(ApusError) -> [Double] {
        var inputs: [Tensor] = []
        for (prediction, target) in zip(predictions, targets) { inputs += [prediction, target] }
        if let sampleWeights { inputs.append(sampleWeights) }
        var losses: [Double] = []
        for loss in try runner.run(inputs) { losses.append(Double(try loss.array(of: Float.self)[0])) }
        return losses
    }

    func sum(_ losses: [Double]) -> Double { zip(losses, weights).reduce(0) { $0 + $1.1 * $1.0 } }
}
