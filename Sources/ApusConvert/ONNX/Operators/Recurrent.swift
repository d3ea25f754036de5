import ApusGraph

let recurrentOperators: [OnnxOperator] = [
    OnnxOperator("RNN", since: 7) { n throws(ApusError) in try recurrent(n, .rnn) },
    OnnxOperator("GRU", since: 7) { n throws(ApusError) in try recurrent(n, .gru) },
    OnnxOperator("LSTM", since: 7) { n throws(ApusError) in try recurrent(n, .lstm) },
    OnnxOperator("DynamicQuantizeLSTM", domain: "com.microsoft") { n throws(ApusError) in
        try recurrent(n, .lstm, isQuantized: true)
    },
]

private enum Kind {
    case rnn, gru, lstm

    /// ONNX's place of each gate, in the order of Apus: GRU's z, r, h as r, z, n; LSTM's i, o, f, c as i, f, g, o.
    var order: [Int] {
        switch self {
        case .rnn: [0]
        case .gru: [1, 0, 2]
        case .lstm: [0, 2, 3, 1]
        }
    }
}

/// A layer of one or two directions.
private func recurrent(_ n: NodeContext, _ kind: Kind, isQuantized: Bool = false) throws(ApusError) -> [ImportedValue] {
    let direction = try n.string("direction", "forward"), count = direction == "bidirectional" ? 2 : 1
    guard let activations = try activations(n, kind, count) else {
        guard !isQuantized else { throw .unsupported("other activations, peepholes, clip or input_forget") }
        return try unrolledRecurrent(n, gates: kind.order.count)
    }
    let g = n.g, isBatchFirst = try n.flag("layout"), stateAxis = isBatchFirst ? 1 : 0
    var parts: [[Term]] = []
    for index in 0..<count {
        let layer = Layer(
            n, kind, activations[index], direction: index, isReversed: direction == "reverse" || index == 1,
            isBatchFirst: isBatchFirst, isQuantized: isQuantized)
        parts.append(try layer.outputs())
    }
    var results: [ImportedValue] = []
    for output in parts[0].indices {
        let axis = output > 0 ? stateAxis : isBatchFirst ? 2 : 1
        var directions: [Term] = []
        for part in parts { directions.append(try g.unsqueeze(part[output], [axis])) }
        results.append(ImportedValue(try g.concat(directions, axis: axis)))
    }
    return results
}

/// RNN's activation of every direction, tanh for the others; nil where the operators of Apus do not have what is asked for.
private func activations(_ n: NodeContext, _ kind: Kind, _ count: Int) throws(ApusError) -> [Activation]? {
    let dtype = try n.dtype(0), forgetsInput = try n.flag("input_forget")
    guard dtype == .f32, !forgetsInput, !n.hasAttribute("clip"), !n.has(7) else { return nil }
    guard let names = try n.strings("activations")?.map({ $0.lowercased() }) else {
        return [Activation](repeating: .tanh, count: count)
    }
    let usual = kind == .lstm ? ["sigmoid", "tanh", "tanh"] : ["sigmoid", "tanh"]
    guard kind == .rnn else {
        return names == [[String]](repeating: usual, count: count).flatMap { $0 }
            ? [Activation](repeating: .tanh, count: count) : nil
    }
    let known: [String: Activation] = ["tanh": .tanh, "relu": .relu, "sigmoid": .sigmoid]
    let found = names.compactMap { known[$0] }
    return names.count == count && found.count == count ? found : nil
}

/// One direction.
private struct Layer {
    let n: NodeContext
    let kind: Kind
    let activation: Activation
    let direction: Int
    let isReversed: Bool
    let isBatchFirst: Bool
    /// With W and R of codes, transposed, and their scales and zero points as inputs 8 … 11.
    let isQuantized: Bool

    init(
        _ n: NodeContext, _ kind: Kind, _ activation: Activation, direction: Int, isReversed: Bool, isBatchFirst: Bool,
        isQuantized: Bool
    ) {
        self.n = n
        self.kind = kind
        self.activation = activation
        self.direction = direction
        self.isReversed = isReversed
        self.isBatchFirst = isBatchFirst
        self.isQuantized = isQuantized
    }

    private var g: Emitter { n.g }

    /// This direction's part of an input.
    private func part(_ input: Int, axis: Int = 0) throws(ApusError) -> Term {
        try g.squeeze(try g.slice(try n.term(input), axis: axis, direction, direction + 1), [axis])
    }

    /// The gates [gates·hidden, ...] of a matrix or vector in the order of Apus.
    private func ordered(_ x: Term, _ hidden: Int) throws(ApusError) -> Term {
        var gates: [Term] = []
        for gate in kind.order { gates.append(try g.slice(x, axis: 0, gate * hidden, (gate + 1) * hidden)) }
        return try g.concat(gates, axis: 0)
    }

    /// x·W + bias, and what the state is multiplied by.
    private func products(
        _ x: Term, _ bias: Term?, _ hidden: Int
    ) throws(ApusError) -> (sums: Term, state: [Term], product: StateProduct) {
        let count = kind.order.count
        if isQuantized {
            func columns(_ input: Int) throws(ApusError) -> QuantizedColumns {
                try QuantizedColumns(
                    n, input, scales: 6 + 2 * input, zeros: 7 + 2 * input, direction: direction, order: kind.order, hidden: hidden)
            }
            let (state, product) = try columns(2).state(g)
            return (try columns(1).product(x, bias, g), state, product)
        }
        let r = try g.transpose(try g.reshape(try ordered(try part(2), hidden), [count, hidden, hidden]), [0, 2, 1])
        let w = try g.transpose(try ordered(try part(1), hidden), [1, 0])
        return (try g.emit(Dense(hasBias: bias != nil), [x, w] + [bias].compactMap { $0 })[0], [r], .real)
    }

    /// y, the last h, and for LSTM the last c.
    func outputs() throws(ApusError) -> [Term] {
        let x = try n.term(0), count = kind.order.count
        let hidden = try n.term(2).extent(isQuantized ? 1 : 2)
        let resetAfter = kind == .gru ? try n.flag("linear_before_reset") : false
        var bias: Term?
        var reset: Term?
        if n.has(3) {
            let both = try part(3)
            let ofInput = try ordered(try g.slice(both, axis: 0, 0, count * hidden), hidden)
            var ofState = try ordered(try g.slice(both, axis: 0, count * hidden, 2 * count * hidden), hidden)
            if resetAfter {
                reset = try g.slice(ofState, axis: 0, 2 * hidden, 3 * hidden)
                let none = g.constant(try Constant("", .f32, [hidden], [Double](repeating: 0, count: hidden)))
                ofState = try g.concat([try g.slice(ofState, axis: 0, 0, 2 * hidden), none], axis: 0)
            }
            bias = try g.add(ofInput, ofState)
        }
        let (sums, state, product) = try products(x, bias, hidden)
        var inputs = [sums] + state
        if resetAfter {
            let none = try Constant("", .f32, [hidden], [Double](repeating: 0, count: hidden))
            inputs.append(reset ?? g.constant(none))
        }
        if n.has(4) { inputs.append(try g.widened(try n.term(4), [.i32, .i64])) }
        let hasState = n.has(5) || kind == .lstm && n.has(6)
        if hasState { inputs.append(try initial(5, x, hidden)) }
        if hasState && kind == .lstm { inputs.append(try initial(6, x, hidden)) }
        return try g.emit(layer(resetAfter: resetAfter, hasState: hasState, product), inputs)
    }

    /// A state [batch, hidden], zeros where it is not given.
    private func initial(_ input: Int, _ x: Term, _ hidden: Int) throws(ApusError) -> Term {
        if n.has(input) { return try part(input, axis: isBatchFirst ? 1 : 0) }
        return try g.expand(try g.scalar(0, .f32), to: x.shapes.map { [$0[isBatchFirst ? 0 : 1], hidden] })
    }

    private func layer(resetAfter: Bool, hasState: Bool, _ product: StateProduct) -> Operator {
        let isTimeFirst = !isBatchFirst, hasLengths = n.has(4)
        return switch kind {
        case .rnn:
            Rnn(
                activation: activation, reverse: isReversed, timeMajor: isTimeFirst, hasLengths: hasLengths,
                hasInitialState: hasState)
        case .gru:
            Gru(
                resetAfter: resetAfter, reverse: isReversed, timeMajor: isTimeFirst, hasLengths: hasLengths,
                hasInitialState: hasState)
        case .lstm:
            Lstm(
                reverse: isReversed, timeMajor: isTimeFirst, hasLengths: hasLengths, hasInitialState: hasState,
                stateProduct: product)
        }
    }
}
