import ApusGraph

/// Recurrent layers of cells that Apus has no operator for: unrolled over a length that is fixed.
func unrolledRecurrent(_ n: NodeContext, gates: Int) throws(ApusError) -> [ImportedValue] {
    try recurrent(n, gates: gates, gates == 4 ? lstmCell : gates == 3 ? gruCell : rnnCell)
}

/// One direction's parameters.
private struct Cell {
    let n: NodeContext
    let hidden: Int
    /// [hidden, gates·hidden].
    let recurrence: Term
    /// Of the recurrence, [gates·hidden].
    let recurrentBias: Term?
    /// [3·hidden]: of the input, output and forget gate.
    let peepholes: Term?
    let activations: [CellActivation]
    let clip: Float?

    func activate(_ index: Int, _ x: Term) throws(ApusError) -> Term {
        let bounded = try clip.map { c throws(ApusError) in try n.g.clip(x, -c, c) } ?? x
        return try activations[index].apply(n.g, bounded)
    }

    /// Gate `index` of x [batch, gates·hidden].
    func gate(_ x: Term, _ index: Int) throws(ApusError) -> Term {
        try n.g.slice(x, axis: x.rank - 1, index * hidden, (index + 1) * hidden)
    }
}

private struct State {
    var h: Term
    var c: Term?
}

/// A step: what the input gives [batch, gates·hidden], and the state before.
private typealias Step = (Cell, Term, State) throws(ApusError) -> State

private func rnnCell(_ cell: Cell, _ x: Term, _ state: State) throws(ApusError) -> State {
    let g = cell.n.g
    var sum = try g.add(x, try g.product(state.h, cell.recurrence))
    if let bias = cell.recurrentBias { sum = try g.add(sum, bias) }
    return State(h: try cell.activate(0, sum))
}

private func gruCell(_ cell: Cell, _ x: Term, _ state: State) throws(ApusError) -> State {
    let g = cell.n.g, h = state.h
    let isLinearFirst = try cell.n.flag("linear_before_reset")
    func part(_ input: Term, _ gate: Int) throws(ApusError) -> Term {
        let product = try g.product(input, try cell.gate(cell.recurrence, gate))
        return try cell.recurrentBias.map { b throws(ApusError) in try g.add(product, try cell.gate(b, gate)) } ?? product
    }
    let z = try cell.activate(0, try g.add(try cell.gate(x, 0), try part(h, 0)))
    let r = try cell.activate(0, try g.add(try cell.gate(x, 1), try part(h, 1)))
    let candidate = isLinearFirst ? try g.mul(r, try part(h, 2)) : try part(try g.mul(r, h), 2)
    let new = try cell.activate(1, try g.add(try cell.gate(x, 2), candidate))
    let one = try g.scalar(1, like: z)
    return State(h: try g.add(try g.mul(try g.sub(one, z), new), try g.mul(z, h)))
}

private func lstmCell(_ cell: Cell, _ x: Term, _ state: State) throws(ApusError) -> State {
    let g = cell.n.g, c = state.c!
    var sum = try g.add(x, try g.product(state.h, cell.recurrence))
    if let bias = cell.recurrentBias { sum = try g.add(sum, bias) }
    func gate(_ index: Int, peephole: Int, _ memory: Term) throws(ApusError) -> Term {
        var value = try cell.gate(sum, index)
        if let weights = cell.peepholes { value = try g.add(value, try g.mul(try cell.gate(weights, peephole), memory)) }
        return try cell.activate(0, value)
    }
    let input = try gate(0, peephole: 0, c)
    let forget: Term
    if try cell.n.flag("input_forget") {
        forget = try g.sub(try g.scalar(1, like: input), input)
    } else {
        forget = try gate(2, peephole: 2, c)
    }
    let new = try g.add(try g.mul(forget, c), try g.mul(input, try cell.activate(1, try cell.gate(sum, 3))))
    let output = try gate(1, peephole: 1, new)
    return State(h: try g.mul(output, try cell.activations[2].apply(g, new)), c: new)
}

private func recurrent(_ n: NodeContext, gates: Int, _ step: Step) throws(ApusError) -> [ImportedValue] {
    let g = n.g, isBatchFirst = try n.flag("layout"), isLSTM = gates == 4
    var x = try n.term(0)
    if isBatchFirst { x = try g.transpose(x, [1, 0, 2]) }
    let length = try x.extent(0)
    guard length >= 1, length <= 4096 else { throw .unsupported("a sequence of \(length), wanted 1 ... 4096") }
    let direction = try n.string("direction", "forward"), count = direction == "bidirectional" ? 2 : 1
    let hidden = try n.term(2).extent(2)
    let names = try n.strings("activations")
    var ends: [State] = [], sequences: [Term] = []
    for index in 0..<count {
        func of(_ input: Int) throws(ApusError) -> Term {
            let x = try n.term(input)
            return try g.squeeze(try g.slice(x, axis: 0, index, index + 1), [0])
        }
        func initial(_ input: Int) throws(ApusError) -> Term {
            if n.has(input) {
                let state = try n.term(input), axis = isBatchFirst ? 1 : 0
                return try g.squeeze(try g.slice(state, axis: axis, index, index + 1), [axis])
            }
            return try g.expand(try g.scalar(0, like: x), to: x.shapes.map { [$0[1], hidden] })
        }
        let biases: Term? = n.has(3) ? try of(3) : nil
        let perDirection = isLSTM ? 3 : gates == 3 ? 2 : 1
        let cell = Cell(
            n: n, hidden: hidden, recurrence: try g.transpose(try of(2), [1, 0]),
            recurrentBias: try biases.map { b throws(ApusError) in
                try g.slice(b, axis: 0, gates * hidden, 2 * gates * hidden)
            },
            peepholes: n.has(7) ? try of(7) : nil,
            activations: try CellActivation.list(n, names, from: index * perDirection, perDirection),
            clip: n.hasAttribute("clip") ? try n.float("clip") : nil)
        // The inputs' part of all steps at once.
        var projected = try g.product(x, try g.transpose(try of(1), [1, 0]))
        if let biases { projected = try g.add(projected, try g.slice(biases, axis: 0, 0, gates * hidden)) }
        var state = State(h: try initial(5), c: isLSTM ? try initial(6) : nil)
        let isReversed = direction == "reverse" || index == 1
        var outputs: [Term] = []
        for i in 0..<length {
            let time = isReversed ? length - 1 - i : i
            let input = try g.squeeze(try g.slice(projected, axis: 0, time, time + 1), [0])
            let next = try masked(n, try step(cell, input, state), state, time)
            outputs.append(try g.unsqueeze(next.shown, [0, 1]))
            state = next.state
        }
        ends.append(state)
        sequences.append(try g.concat(isReversed ? outputs.reversed() : outputs, axis: 0))
    }
    // [length, directions, batch, hidden]
    var y = try g.concat(sequences, axis: 1)
    func stacked(_ terms: [Term]) throws(ApusError) -> ImportedValue {
        var wide: [Term] = []
        for term in terms { wide.append(try g.unsqueeze(term, [isBatchFirst ? 1 : 0])) }
        return ImportedValue(try g.concat(wide, axis: isBatchFirst ? 1 : 0))
    }
    if isBatchFirst { y = try g.transpose(y, [2, 0, 1, 3]) }
    var results = [ImportedValue(y), try stacked(ends.map { $0.h })]
    if isLSTM { results.append(try stacked(ends.map { $0.c! })) }
    return results
}

/// Past the end of a sequence the state stays and zeros are shown.
private func masked(
    _ n: NodeContext, _ new: State, _ old: State, _ time: Int
) throws(ApusError) -> (state: State, shown: Term) {
    guard n.has(4) else { return (new, new.h) }
    let lengths = try n.g.unsqueeze(try n.term(4), [1])
    let isInside = try n.g.less(try n.g.scalar(Double(time), like: lengths), lengths)
    let h = try n.g.select(isInside, new.h, old.h)
    let shown = try n.g.select(isInside, new.h, try n.g.scalar(0, like: new.h))
    let c = try new.c.map { c throws(ApusError) in try n.g.select(isInside, c, old.c!) }
    return (State(h: h, c: c), shown)
}

/// An activation by ONNX's name.
private enum CellActivation {
    case sigmoid, tanh, relu, softplus, softsign
    case affine(Float, Float), hardSigmoid(Float, Float), scaledTanh(Float, Float)
    case leakyRelu(Float), elu(Float), thresholdedRelu(Float)

    /// `count` activations of a direction, by default sigmoid for gates and tanh for values; RNN's only one is tanh. Alphas and
    /// betas are those of the activations that have one, in the order of all directions' names.
    static func list(
        _ n: NodeContext, _ names: [String]?, from start: Int, _ count: Int
    ) throws(ApusError) -> [CellActivation] {
        guard let names else { return count == 1 ? [.tanh] : [.sigmoid] + [CellActivation](repeating: .tanh, count: count - 1) }
        guard start + count <= names.count else { throw .file("\(names.count) activations, wanted \(start + count)") }
        var alphas = try n.floats("activation_alpha")?[...] ?? [], betas = try n.floats("activation_beta")?[...] ?? []
        func alpha(_ otherwise: Float) -> Float { alphas.popFirst() ?? otherwise }
        func beta(_ otherwise: Float) -> Float { betas.popFirst() ?? otherwise }
        var result: [CellActivation] = []
        for name in names.prefix(start + count) {
            switch name.lowercased() {
            case "sigmoid": result.append(.sigmoid)
            case "tanh": result.append(.tanh)
            case "relu": result.append(.relu)
            case "softplus": result.append(.softplus)
            case "softsign": result.append(.softsign)
            case "affine": result.append(.affine(alpha(1), beta(0)))
            case "hardsigmoid": result.append(.hardSigmoid(alpha(0.2), beta(0.5)))
            case "scaledtanh": result.append(.scaledTanh(alpha(1), beta(1)))
            case "leakyrelu": result.append(.leakyRelu(alpha(0.01)))
            case "elu": result.append(.elu(alpha(1)))
            case "thresholdedrelu": result.append(.thresholdedRelu(alpha(1)))
            default: throw .unsupported("activation '\(name)'")
            }
        }
        return Array(result[start...])
    }

    func apply(_ g: Emitter, _ x: Term) throws(ApusError) -> Term {
        func number(_ value: Float) throws(ApusError) -> Term { try g.scalar(Double(value), like: x) }
        switch self {
        case .sigmoid: return try g.sigmoid(x)
        case .tanh: return try g.tanh(x)
        case .relu: return try g.relu(x)
        case .softplus: return try g.softplus(x)
        case .softsign: return try g.div(x, try g.add(try g.abs(x), try number(1)))
        case .affine(let alpha, let beta): return try g.add(try g.mul(x, try number(alpha)), try number(beta))
        case .hardSigmoid(let alpha, let beta): return try g.hardSigmoid(x, alpha: alpha, beta: beta)
        case .scaledTanh(let alpha, let beta): return try g.mul(try g.tanh(try g.mul(x, try number(beta))), try number(alpha))
        case .leakyRelu(let alpha): return try g.leakyRelu(x, alpha: alpha)
        case .elu(let alpha): return try g.elu(x, alpha: alpha)
        case .thresholdedRelu(let alpha): return try g.select(try g.greater(x, try number(alpha)), x, try number(0))
        }
    }
}
