import ApusGraph
import ApusRuntime

extension Network {
    /// Writes the parameters as they are, for `loadWeights`: an .apus file whose `predict` is the network before any rewriting.
    /// The file is there whole or not at all.
    public func saveWeights(_ path: String) throws(ApusError) {
        let graph = Graph(name)
        graph.producer = "Apus \(ApusVersion.text)"
        for parameter in parameters.all {
            let initial = parameter.value.constant(parameter.name)
            graph.states.append(
                State(parameter.name, initial.type, parameter.isWeight ? .weight : .statistic, initial: initial))
        }
        let (emitted, _) = try emit(.inference, graph, function: "predict", maximumBatch: 64) { index in
            Value(operand: .state(index), type: graph.states[index].type)
        }
        for (index, output) in emitted.outputs.enumerated() {
            emitted.builder.output(outputName(index), output, type: Network.symbolic(output.type))
        }
        emitted.builder.finish()
        try ModelWriter.write(graph, to: path)
    }

    /// Takes the parameters from a file of `saveWeights` or a checkpoint of a network with the same layers, to train on from there:
    /// the averages of a checkpoint that has such. What the file lacks of ranges of quantization-aware training stays as it is.
    ///
    /// - Throws: `.badFile` for a damaged file, `.invalidArgument` for an exported model, whose weights are folded and packed,
    ///   and for a file without a parameter of this network, or of another type, which it names. Then the network is as it was.
    public func loadWeights(_ path: String) throws(ApusError) {
        let graph = try ApusRuntime.Model(path: path).graph
        guard graph.states.contains(where: { $0.role == .weight }) || !parameters.all.contains(where: { $0.isWeight }) else {
            throw .argument(
                "\(path): an exported model, wanted a checkpoint, as of 'apus train --checkpoint', or a file of saveWeights")
        }
        var values: [(Int, Tensor)] = []
        let ranges = Set(quantization?.places.values.map { QuantizationAwareness.range($0) } ?? [])
        for (index, parameter) in parameters.all.enumerated() {
            let states = [ExponentialMovingAverage.name(of: parameter.name), parameter.name].lazy.compactMap { name in
                graph.states.first { $0.name == name }
            }
            guard let state = states.first, let initial = state.initial else {
                if ranges.contains(parameter.name) { continue }
                throw .argument("\(path): no weights '\(parameter.name)', wanted those of this network")
            }
            guard state.type == parameter.value.type else {
                throw .argument("\(path): '\(parameter.name)' is \(state.type), wanted \(parameter.value.type)")
            }
            values.append((index, try Tensor(copying: initial.bytes, dtype: state.type.dtype, shape: state.type.shape.dimensions)))
        }
        for (index, value) in values { parameters.set(index, value) }
    }
}
