import ApusGraph

/// Recurrent layers whose state is multiplied by integer weights.
enum StateWeights {
    /// Replaces R of the recurrent layers of a plain graph, constants of 32 rows or more, by W as `WeightOnly` makes it of a dense
    /// layer's; returns how many. Layers named in `keepFloat` stay, and those of a function that differs between instruction sets.
    static func quantize(
        _ graph: Graph, _ scheme: QuantizationScheme, block: Int, keepFloat: Set<String>
    ) throws(ApusError) -> Int {
        let product: StateProduct = scheme == .int8Dynamic
            ? .dynamic : .weightOnly(blockSize: scheme.isNarrow ? block : 0, dynamicActivations: scheme == .w4Dynamic)
        return try graph.rewriteFunctions { editor throws(ApusError) in
            var changes = 0
            for place in editor.nodes {
                let node = editor[place]
                guard let layer = node.op as? RecurrentLayer, case .real = layer.stateProduct, !keepFloat.contains(node.name),
                    StateProduct.isExact(layer.activation), let new = layer.replacing(product),
                    let r = editor.plainConstant(node.inputs[1]), r.type.dtype == .f32, r.type.shape[1] >= 32,
                    scheme != .int8Dynamic || r.type.shape[1] <= QuantizedProduct.maximumDepth
                else { continue }
                let constants = try WeightOnly.constants(try r.gatesSideBySide(), scheme, block: block)
                editor[place] = Node(
                    node.name, new, [node.inputs[0]] + constants.map { graph.append($0) } + node.inputs.dropFirst(2))
                changes += 1
            }
            return changes
        }
    }
}

extension RecurrentLayer {
    /// The same with another product of the state; nil in training.
    fileprivate func replacing(_ product: StateProduct) -> RecurrentLayer? {
        guard !keepsGates else { return nil }
        switch self {
        case is Lstm:
            return Lstm(
                reverse: reverse, timeMajor: timeMajor, hasLengths: hasLengths, hasInitialState: hasInitialState,
                stateProduct: product)
        case is Gru:
            return Gru(
                resetAfter: resetAfter, reverse: reverse, timeMajor: timeMajor, hasLengths: hasLengths,
                hasInitialState: hasInitialState, stateProduct: product)
        default:
            return Rnn(
                activation: activation, reverse: reverse, timeMajor: timeMajor, hasLengths: hasLengths,
                hasInitialState: hasInitialState, stateProduct: product)
        }
    }
}

extension Constant {
    /// R [G, hidden, hidden] as [hidden, G·hidden].
    fileprivate func gatesSideBySide() throws(ApusError) -> Constant {
        let gates = type.shape[0], hidden = type.shape[1], values = bytes.bindMemory(to: Float.self)
        var result = [Float](repeating: 0, count: values.count)
        for gate in 0..<gates {
            for k in 0..<hidden {
                for j in 0..<hidden { result[(k * gates + gate) * hidden + j] = values[(gate * hidden + k) * hidden + j] }
            }
        }
        return Constant(
            name, TensorType(.f32, [hidden, gates * hidden]), result.withUnsafeBytes { HeapStorage($0) })
    }
}
