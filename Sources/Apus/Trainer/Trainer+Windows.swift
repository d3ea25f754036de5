import ApusGraph

extension Trainer {
    /// In training by windows: sequences begin anew.
    public func forgetStates() {
        for state in program.memory { session.state(state).initializeMemory(as: UInt8.self, repeating: 0) }
    }

    /// How many steps a batch of the epoch under way is.
    var stepsPerBatch: Int {
        guard let window, let length = batches?.source.inputFields.first?.shape.first else { return 1 }
        return length / window
    }

    static func check(_ window: Int?, _ network: Network) throws(ApusError) {
        guard let window else { return }
        guard window >= 1 else { throw .argument("a window of \(window), wanted 1 or more") }
        for input in network.inputs {
            guard let layer = input.call.layer as? InputLayer, layer.shape.first == window else {
                let shape = Shape((input.call.layer as? InputLayer)?.shape ?? [])
                throw .argument(
                    "windows of \(window) for input '\(network.name(of: input.call.layer))' \(shape), "
                        + "wanted sequences of that length")
            }
        }
    }

    /// What steps are made of a batch: the batch itself, or its windows, before the first of which sequences begin anew. A target
    /// that is no sequence is every window's.
    func windows(of batch: Batch) throws(ApusError) -> [Batch] {
        guard let window else { return [batch] }
        let length = batch.inputs.first?.tensor.shape.dropFirst().first ?? 0
        guard length >= window, length % window == 0 else {
            throw .shape("sequences of \(length) elements in windows of \(window), wanted a multiple")
        }
        for input in batch.inputs where input.tensor.shape.dropFirst().first != length {
            throw .shape("input '\(input.name)' \(input.tensor), wanted sequences of \(length)")
        }
        forgetStates()
        let declared = program.graph.functions[0].inputs[batch.inputs.count...].map { $0.type.shape }
        let targets = try targets(batch)
        var parts: [Batch] = []
        for index in 0..<length / window {
            var inputs: [NamedTensor] = [], wanted: [NamedTensor] = []
            for input in batch.inputs { inputs.append(try input.window(index, of: length / window)) }
            for (target, shape) in zip(targets, declared) {
                let isSequence = shape.rank > 1 && shape[1] == window && target.tensor.shape.dropFirst().first == length
                wanted.append(isSequence ? try target.window(index, of: length / window) : target)
            }
            parts.append(
                Batch(
                    position: batch.position, indices: batch.indices, inputs: inputs, targets: wanted, weights: batch.weights))
        }
        return parts
    }
}

extension NamedTensor {
    /// Of sequences [batch, count · window, …] a window each, [batch, window, …].
    fileprivate func window(_ index: Int, of count: Int) throws(ApusError) -> NamedTensor {
        let shape = tensor.shape, batch = shape[0]
        let windows = try tensor.reshaped([batch * count, shape[1] / count] + shape.dropFirst(2))
        return NamedTensor(name, try windows.rows((0..<batch).map { $0 * count + index }))
    }
}
