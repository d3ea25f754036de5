import ApusGraph

let recurrentExports: [OnnxExportRule] = [
    OnnxExportRule(Rnn.entry) { (n, op: Rnn) throws(ApusError) in
        let name: String
        switch op.activation {
        case .tanh: name = "Tanh"
        case .relu: name = "Relu"
        case .sigmoid: name = "Sigmoid"
        default: throw .unsupported("an RNN of \(op.activation.name), wanted Tanh, ReLU or Sigmoid")
        }
        return try exportRecurrent(n, op, "RNN", gates: [0], ["activations": .strings([Array(name.utf8)])])
    },
    // ONNX's gates z, r, h among those of Apus, r, z, n.
    OnnxExportRule(Gru.entry) { (n, op: Gru) throws(ApusError) in
        try exportRecurrent(n, op, "GRU", gates: [1, 0, 2], ["linear_before_reset": .int(op.resetAfter ? 1 : 0)])
    },
    // ONNX's gates i, o, f, c among those of Apus, i, f, g, o.
    OnnxExportRule(Lstm.entry) { (n, op: Lstm) throws(ApusError) in
        try exportRecurrent(n, op, "LSTM", gates: [0, 3, 1, 2], [:])
    },
]

/// A layer of one direction, time first. What the input gives every step, x·W + b, is a node of its own in Apus: where that
/// is the node which makes the operator's input, and nothing more, its W and b become the layer's, else W is the identity.
private func exportRecurrent(
    _ n: NodeExport, _ op: RecurrentLayer, _ onnx: String, gates: [Int], _ attributes: [String: OnnxAttribute]
) throws(ApusError) -> [ExportedValue] {
    let hidden = n.outputType(0).shape[2], width = gates.count * hidden
    let order = n.gateOrder(gates)
    let time = op.timeMajor ? AxisOrder.plain(3) : AxisOrder([1, 0, 2])
    var x: String, w: String, inputBias: String?
    if let dense = n.maker(0), let product = dense.node.op as? Dense, product.activation == .none, !product.hasResidual {
        x = try dense.input(0, time)
        w = try n.gates(of: try dense.weights(1, .matrixTransposed(2)), order, [hidden, dense.type(1).shape[0]])
        inputBias = product.hasBias ? try n.gates(of: try dense.input(2), order, [hidden]) : nil
    } else {
        x = try n.input(0, time)
        let identity = (0..<width * width).map { $0 / width == $0 % width ? 1.0 : 0 }
        w = try n.gates(of: try n.tensor(identity, .f32, [width, width]), order, [hidden, width])
    }
    let r = try n.gates(of: try n.stateWeights(op.stateProduct), order, [hidden, hidden])
    var next = 1 + op.stateProduct.inputCount
    func optional(_ isThere: Bool) throws(ApusError) -> String {
        guard isThere else { return "" }
        defer { next += 1 }
        return try n.input(next)
    }
    var stateBias: String?
    if op.resetAfter {
        let zeros = try n.tensor([Double](repeating: 0, count: 2 * hidden), .f32, [2 * hidden])
        stateBias = n.emit("Unsqueeze", [
            n.emit("Concat", [zeros, try optional(true)], ["axis": .int(0)])[0], n.integers([0]),
        ])[0]
    }
    var inputs = [x, w, r, ""]
    if inputBias != nil || stateBias != nil {
        let none = try n.tensor([Double](repeating: 0, count: width), .f32, [1, width])
        inputs[3] = n.emit("Concat", [inputBias ?? none, stateBias ?? none], ["axis": .int(1)])[0]
    }
    let lengths = try optional(op.hasLengths)
    inputs.append(op.hasLengths && n.dtype(next - 1) == .i64 ? n.cast(lengths, to: .i32) : lengths)
    let states = onnx == "LSTM" ? 2 : 1
    for _ in 0..<states {
        let state = try optional(op.hasInitialState)
        inputs.append(state.isEmpty ? "" : n("Unsqueeze", state, n.integers([0])))
    }
    while inputs.last == "" { inputs.removeLast() }
    let own: [String: OnnxAttribute] = [
        "hidden_size": .int(hidden), "direction": .string(Array((op.reverse ? "reverse" : "forward").utf8)),
    ]
    let outputs = n.emit(onnx, inputs, attributes.merging(own) { $1 }, outputs: 1 + states)
    // [time, 1, batch, hidden], then [1, batch, hidden].
    var results = [ExportedValue(n("Squeeze", outputs[0], n.integers([1])), time)]
    for state in outputs.dropFirst() { results += [ExportedValue(n("Squeeze", state, n.integers([0])), .plain(2))] }
    return results
}

extension NodeExport {
    /// R with the columns of every gate as rows, real.
    fileprivate func stateWeights(_ product: StateProduct) throws(ApusError) -> String {
        switch product {
        case .real: return try weights(1, AxisOrder([0, 2, 1]))
        case .weightOnly(let blockSize, let hasZeroPoints, dynamicActivations: false):
            let w = try weightOnly(blockSize: blockSize, hasZeroPoints: hasZeroPoints)
            return self("Transpose", w, attributes: ["perm": .ints([1, 0])])
        case .weightOnly, .dynamic: throw .unsupported("a state that becomes codes when it runs, wanted real numbers")
        }
    }

    /// Where ONNX has each gate, as indices.
    fileprivate func gateOrder(_ gates: [Int]) -> String? { gates == Array(gates.indices) ? nil : integers(gates) }

    /// Parameters [gates·shape[0], …] as [1, gates·shape[0], …], the gates in ONNX's order.
    fileprivate func gates(of x: String, _ order: String?, _ shape: [Int]) throws(ApusError) -> String {
        var y = x
        if let order { y = self("Gather", self("Reshape", y, integers([-1] + shape)), order) }
        return self("Reshape", y, integers([1, -1] + shape.dropFirst()))
    }
}
