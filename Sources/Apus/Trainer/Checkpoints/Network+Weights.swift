import ApusGraph
import ApusRuntime

extension Network {
    /// Takes the parameters from a checkpoint of a network with the same layers, to train on from there. What the file lacks of
    /// ranges of quantization-aware training stays as it is.
    ///
    /// - Throws: `.badFile` for a damaged file, `.invalidArgument` for one without a parameter of this network, or of another
    ///   type, which it names. Then the network is as it was.
    public func loadWeights(_ path: String) throws(ApusError) {
        let graph = try ApusRuntime.Model(path: path).graph
        var values: [(Int, Tensor)] = []
        let ranges = Set(quantization?.places.values.map { QuantizationAwareness.range($0) } ?? [])
        for (index, parameter) in parameters.all.enumerated() {
            guard let state = graph.states.first(where: { $0.name == parameter.name }), let initial = state.initial else {
                if ranges.contains(parameter.name) { continue }
                throw .argument("\(path): no weights '\(parameter.name)', wanted a checkpoint of this network")
            }
            guard state.type == parameter.value.type else {
                throw .argument("\(path): '\(parameter.name)' is \(state.type), wanted \(parameter.value.type)")
            }
            values.append((index, try Tensor(copying: initial.bytes, dtype: state.type.dtype, shape: state.type.shape.dimensions)))
        }
        for (index, value) in values { parameters.set(index, value) }
    }
}
