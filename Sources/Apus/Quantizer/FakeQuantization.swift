import ApusGraph

/// Emits a network's nodes with what quantization-aware training adds: weights of integer products are rounded before them,
/// values that will be codes after them.
final class FakeQuantization {
    let stage: QuantizationAwareness.Stage
    private let awareness: QuantizationAwareness
    private let builder: GraphBuilder
    private let range: (String) -> Int?
    private let emit: (Int) -> Value
    private var missing: Set<String>
    /// What the ranges are after the step.
    private(set) var updates: [(parameter: Int, value: Value)] = []

    /// `emit` gives the value of a parameter.
    init(
        _ awareness: QuantizationAwareness, epoch: Int, _ parameters: Parameters, _ builder: GraphBuilder,
        emit: @escaping (Int) -> Value
    ) {
        self.awareness = awareness
        stage = awareness.stage(epoch: epoch)
        self.builder = builder
        range = { parameters.find(QuantizationAwareness.range($0)) }
        self.emit = emit
        let places = awareness.places
        missing = Set(places.values).union(places.products).union(places.states).union(places.tables)
    }

    func node(_ op: Operator, _ inputs: [Value], name: String) throws(ApusError) -> [Value] {
        var inputs = inputs
        if awareness.places.products.contains(name) {
            missing.remove(name)
            inputs[1] = try roundedWeights(inputs[1], op, name: "\(name)/rounded-weights")
        }
        if awareness.places.states.contains(name) {
            missing.remove(name)
            inputs[1] = try roundedStateWeights(inputs[1], name: "\(name)/rounded-weights")
        }
        var outputs = try builder.node(op, inputs, name: name)
        if awareness.places.tables.contains(name) {
            missing.remove(name)
            outputs[0] = try roundedRows(outputs[0], name: "\(name)/rounded-rows")
        }
        for i in outputs.indices { outputs[i] = try rounded(outputs[i], place: QuantizationAwareness.place(name, output: i)) }
        return outputs
    }

    /// Weights as their codes will be, with a scale for each output channel: W [kh, kw, O, C] of a transposed convolution has them
    /// on its third axis.
    private func roundedWeights(_ weights: Value, _ op: Operator, name: String) throws(ApusError) -> Value {
        guard op is ApusGraph.Conv2DTranspose else { return try builder(FakeQuantizeWeights(), weights, name: name) }
        let columns = try builder(Transpose([0, 1, 3, 2]), weights, name: "\(name)/columns")
        let rounded = try builder(FakeQuantizeWeights(), columns, name: name)
        return try builder(Transpose([0, 1, 3, 2]), rounded, name: "\(name)/rows")
    }

    /// R [gates, hidden, hidden] as its codes will be, with a scale for each column of a gate.
    private func roundedStateWeights(_ r: Value, name: String) throws(ApusError) -> Value {
        let gates = r.shape[0], hidden = r.shape[1]
        let sideBySide = try builder(Transpose([1, 0, 2]), r, name: "\(name)/side-by-side")
        let columns = try builder(ApusGraph.Reshape([hidden, gates * hidden]), sideBySide, name: "\(name)/columns")
        let rounded = try builder(FakeQuantizeWeights(), columns, name: name)
        let apart = try builder(ApusGraph.Reshape([hidden, gates, hidden]), rounded, name: "\(name)/gates")
        return try builder(Transpose([1, 0, 2]), apart, name: "\(name)/apart")
    }

    /// Rows that were read of a table, as the codes of the table's rows will be, which have a scale each.
    private func roundedRows(_ rows: Value, name: String) throws(ApusError) -> Value {
        let flat = try builder(ApusGraph.Reshape([-1, rows.shape.last]), rows, name: "\(name)/flat")
        let columns = try builder(Transpose([1, 0]), flat, name: "\(name)/columns")
        let rounded = try builder(FakeQuantizeWeights(), columns, name: name)
        let again = try builder(Transpose([1, 0]), rounded, name: "\(name)/rows")
        return try builder(ApusGraph.Reshape([-1] + rows.shape.dimensions.dropFirst()), again, name: "\(name)/shaped")
    }

    /// A value as its codes will be; the value itself where it has none.
    func rounded(_ value: Value, place: String) throws(ApusError) -> Value {
        guard let elements = awareness.places.elements[place], let index = range(place) else { return value }
        missing.remove(place)
        var ends = emit(index)
        if stage.observes {
            ends = try builder.node(ObserveRange(momentum: awareness.momentum), [value, ends], name: "\(place)/observer")[0]
            updates.append((index, ends))
        }
        // Esser et al. 2020, section 2.2, with 255 steps.
        let scale = stage.learns ? Float(1 / (255 * Double(max(1, elements))).squareRoot()) : 0
        return try builder.node(FakeQuantize(rangeGradientScale: scale), [value, ends], name: "\(place)/rounded")[0]
    }

    /// Throws where a place was not met: the layers then emit other nodes in training than in inference.
    func finish() throws(ApusError) {
        guard let name = missing.sorted().first else { return }
        throw .unsupported("quantization-aware training: no layer emits '\(name)' in training")
    }
}
