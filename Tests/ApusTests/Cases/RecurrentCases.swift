import Foundation

@testable import ApusGraph

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// One sequence, element by element: x [time][gates·hidden] → y, the states after it, and what each step keeps.
private func sequence(
    _ op: RecurrentLayer, _ x: [[Double]], _ r: TestTensor, _ b: [Double], length: Int, _ start: [[Double]],
    mask: [Double]
) -> (y: [[Double]], states: [[Double]], kept: [[Double]]) {
    let hidden = r.shape[1]
    var h = start[0], c = start.last!
    var y = [[Double]](repeating: [Double](repeating: 0, count: hidden), count: x.count)
    var kept = [[Double]](repeating: [Double](repeating: 0, count: op.keptWidth * hidden), count: x.count)
    func product(_ a: [Double], _ gate: Int, _ j: Int) -> Double {
        var sum = 0.0
        for k in 0..<hidden { sum += a[k] * r.values[(gate * hidden + k) * hidden + j] }
        return sum
    }
    let times = op.reverse ? Array((0..<x.count).reversed()) : Array(0..<x.count)
    for t in times where t < length {
        let before = zip(h, mask).map { $0 * $1 }
        func sum(_ gate: Int) -> [Double] { (0..<hidden).map { x[t][gate * hidden + $0] + product(before, gate, $0) } }
        switch op {
        case is Lstm:
            let i = sum(0).map(sigmoid), f = sum(1).map(sigmoid), g = sum(2).map(tanh), o = sum(3).map(sigmoid)
            for j in 0..<hidden {
                c[j] = f[j] * c[j] + i[j] * g[j]
                h[j] = o[j] * tanh(c[j])
            }
            kept[t] = i + f + g + o + c
        case is Gru:
            let reset = sum(0).map(sigmoid), update = sum(1).map(sigmoid)
            let resetState = (0..<hidden).map { reset[$0] * before[$0] }
            let inner = op.resetAfter ? (0..<hidden).map { product(before, 2, $0) + b[$0] } : []
            let new = (0..<hidden).map { j in
                tanh(x[t][2 * hidden + j] + (op.resetAfter ? reset[j] * inner[j] : product(resetState, 2, j)))
            }
            h = (0..<hidden).map { (1 - update[$0]) * new[$0] + update[$0] * h[$0] }
            kept[t] = reset + update + new + inner
        default:
            kept[t] = sum(0)
            h = kept[t].map { op.activation == .relu ? max(0, $0) : op.activation == .tanh ? tanh($0) : $0 }
        }
        y[t] = h
    }
    return (y, op is Lstm ? [h, c] : [h], kept)
}

private func outputs(_ op: RecurrentLayer, _ inputs: [TestTensor]) -> [TestTensor] {
    let x = inputs[0], r = inputs[1], hidden = r.shape[1]
    let batch = x.shape[op.timeMajor ? 1 : 0], time = x.shape[op.timeMajor ? 0 : 1]
    var next = 2
    func take() -> TestTensor {
        next += 1
        return inputs[next - 1]
    }
    let b = op.resetAfter ? take().values : []
    let lengths = op.hasLengths ? take().values : [Double](repeating: Double(time), count: batch)
    let starts = (0..<op.stateCount).map { _ in
        op.hasInitialState ? take() : TestTensor.make(.f32, [batch, hidden]) { _ in 0 }
    }
    let mask = op.hasStateMask ? take() : TestTensor.make(.f32, [batch, hidden]) { _ in 1 }
    let results = (0..<batch).map { n in
        sequence(
            op, (0..<time).map { t in (0..<x.shape[2]).map { x[op.timeMajor ? [t, n, $0] : [n, t, $0]] } }, r, b,
            length: Int(lengths[n]), starts.map { start in (0..<hidden).map { start[[n, $0]] } },
            mask: (0..<hidden).map { mask[[n, $0]] })
    }
    func overTime(_ width: Int, _ value: (Int, Int, Int) -> Double) -> TestTensor {
        TestTensor.make(.f32, [x.shape[0], x.shape[1], width]) { i in
            op.timeMajor ? value(i[1], i[0], i[2]) : value(i[0], i[1], i[2])
        }
    }
    let states = (0..<op.stateCount).map { state in
        TestTensor.make(.f32, [batch, hidden]) { results[$0[0]].states[state][$0[1]] }
    }
    let kept = op.keepsGates ? [overTime(op.keptWidth * hidden) { results[$0].kept[$1][$2] }] : []
    return [overTime(hidden) { results[$0].y[$1][$2] }] + states + kept
}

private func inputs(_ op: RecurrentLayer, batch: Int, time: Int, hidden: Int) -> [TestInput] {
    var inputs: [TestInput] = [
        .real(op.timeMajor ? [time, batch, op.gates * hidden] : [batch, time, op.gates * hidden]),
        .real([op.gates, hidden, hidden], -0.5...0.5),
    ]
    if op.resetAfter { inputs.append(.real([hidden], -0.5...0.5)) }
    if op.hasLengths { inputs.append(.integers([batch], 0...time, op.reverse ? .i64 : .i32)) }
    if op.hasInitialState { for _ in 0..<op.stateCount { inputs.append(.real([batch, hidden], -1...1)) } }
    if op.hasStateMask { inputs.append(.values(TestTensor.make(.f32, [batch, hidden]) { Double(($0[0] + $0[1]) % 3) })) }
    return inputs
}

private func layer(
    _ name: String, _ op: RecurrentLayer, batch: Int = 2, time: Int = 4, hidden: Int = 5
) -> OperatorCase {
    let inputs = inputs(op, batch: batch, time: time, hidden: hidden)
    let isReal = inputs.map { if case .real = $0 { true } else { false } }
    return OperatorCase(
        "\(op.name) \(name)", op, inputs, gradients: op.keepsGates ? isReal.indices.filter { isReal[$0] } : [],
        through: Array(0...op.stateCount), tolerance: 2e-5
    ) { outputs(op, $0) }
}

/// The gradients of Σ dy·y + Σ dh·h + Σ dc·c by central differences of the definition.
private func gradient(
    _ name: String, _ op: RecurrentLayer, arriving: [Bool], batch: Int = 3, time: Int = 4, hidden: Int = 5
) -> OperatorCase {
    var random = TestRandom(UInt64(name.utf8.count + op.gates))
    let given = inputs(op, batch: batch, time: time, hidden: hidden).map { $0.tensor(&random) }
    let found = outputs(op, given)
    let weights = zip(found, arriving).map { output, arrives in
        output.map { _ in arrives ? Double(Float.random(in: -1...1, using: &random)) : 0 }
    }
    func loss(_ inputs: [TestTensor]) -> Double {
        zip(outputs(op, inputs), weights).reduce(0) { sum, pair in
            zip(pair.0.values, pair.1.values).reduce(sum) { $0 + $1.0 * $1.1 }
        }
    }
    func difference(_ input: Int) -> TestTensor {
        var result = given[input]
        for element in result.values.indices {
            let losses = [1e-5, -1e-5].map { shift in
                var moved = given
                moved[input].values[element] += shift
                return loss(moved)
            }
            result.values[element] = (losses[0] - losses[1]) / 2e-5
        }
        return result
    }
    let kept = found[1 + op.stateCount], firstState = (op.resetAfter ? 3 : 2) + (op.hasLengths ? 1 : 0)
    let states = firstState..<firstState + (op.hasInitialState ? op.stateCount : 0)
    let taken = [found[0], kept, given[1]] + given[(op.resetAfter ? 3 : 2)...]
        + zip(weights, arriving).filter { $0.1 }.map { $0.0 }
    return OperatorCase(
        "\(op.name.replacing("Training", with: "Gradient")) \(name)", RecurrentGradient(of: op, hasGradients: arriving),
        taken.map { .values($0) }, tolerance: 2e-5
    ) { _ in
        var wanted = [difference(0), difference(1)]
        if op.resetAfter {
            // du = dx_n·r
            wanted.append(TestTensor.make(.f32, found[0].shape) { i in
                wanted[0][[i[0], i[1], 2 * hidden + i[2]]] * kept[[i[0], i[1], i[2]]]
            })
        }
        return wanted + states.map { difference($0) }
    }
}

let recurrentCases: [OperatorCase] = [
    layer("", Lstm()),
    layer("of a wide state", Lstm(), batch: 1, time: 7, hidden: 48),
    layer("of many sequences", Lstm(hasInitialState: true), batch: 27, time: 3, hidden: 16),
    layer("backwards", Lstm(reverse: true, hasLengths: true), batch: 13),
    layer("time first", Lstm(timeMajor: true, hasLengths: true, hasInitialState: true), batch: 3, hidden: 20),
    layer("of one step", Lstm(), time: 1),
    layer("of no step", Lstm(hasInitialState: true), time: 0),
    layer("of no sequence", Lstm(), batch: 0),
    layer("of one sequence", Lstm(hasLengths: true, hasInitialState: true), batch: 1, time: 5, hidden: 48),
    layer("of one sequence", Gru(resetAfter: true, hasInitialState: true), batch: 1, time: 5, hidden: 48),
    layer("of one sequence, with the reset before", Gru(resetAfter: false, hasInitialState: true), batch: 1, time: 5, hidden: 80),
    layer("of one sequence", Rnn(hasInitialState: true), batch: 1, hidden: 80),
    layer("", Gru(resetAfter: false)),
    layer("with the reset after", Gru(resetAfter: true), hidden: 33),
    layer("of many sequences", Gru(resetAfter: false, timeMajor: true, hasInitialState: true), batch: 14, hidden: 16),
    layer("backwards", Gru(resetAfter: true, reverse: true, hasLengths: true, hasInitialState: true), batch: 5, time: 6),
    layer("", Rnn()),
    layer("of ReLU", Rnn(activation: .relu, hasInitialState: true), batch: 3, hidden: 18),
    layer("backwards", Rnn(reverse: true, timeMajor: true, hasLengths: true), batch: 4, hidden: 7),
    layer("", Lstm(keepsGates: true)),
    layer("of lengths", Lstm(hasLengths: true, hasInitialState: true, keepsGates: true), batch: 3, hidden: 4),
    layer(
        "backwards", Lstm(reverse: true, timeMajor: true, hasLengths: true, hasInitialState: true, keepsGates: true), batch: 3),
    layer("", Gru(resetAfter: false, hasInitialState: true, keepsGates: true)),
    layer("backwards", Gru(resetAfter: false, reverse: true, hasLengths: true, keepsGates: true), batch: 3),
    layer("with the reset after", Gru(resetAfter: true, hasLengths: true, keepsGates: true), batch: 3),
    layer("with the reset after, backwards", Gru(resetAfter: true, reverse: true, hasInitialState: true, keepsGates: true)),
    layer("", Rnn(hasLengths: true, hasInitialState: true, keepsGates: true), batch: 3),
    layer("of no activation, backwards", Rnn(activation: .none, reverse: true, keepsGates: true)),
    gradient("", Lstm(hasLengths: true, hasInitialState: true, keepsGates: true), arriving: [true, true, true]),
    gradient(
        "of the state alone", Lstm(timeMajor: true, keepsGates: true),
        arriving: [false, false, true], batch: 2, time: 2, hidden: 17),
    gradient(
        "of many sequences", Lstm(reverse: true, keepsGates: true),
        arriving: [true, false, false], batch: 27, time: 2, hidden: 2),
    gradient("", Gru(resetAfter: true, hasLengths: true, hasInitialState: true, keepsGates: true), arriving: [true, true]),
    gradient(
        "of a wide state", Gru(resetAfter: true, reverse: true, keepsGates: true),
        arriving: [true, false], batch: 1, time: 3, hidden: 18),
    gradient(
        "with the reset before", Gru(resetAfter: false, hasLengths: true, hasInitialState: true, keepsGates: true),
        arriving: [true, true]),
    gradient(
        "of the state alone, backwards", Gru(resetAfter: false, reverse: true, timeMajor: true, keepsGates: true),
        arriving: [false, true], batch: 2, time: 2, hidden: 17),
    layer("of a mask", Lstm(hasInitialState: true, keepsGates: true, hasStateMask: true)),
    layer("of a mask", Gru(resetAfter: false, hasLengths: true, keepsGates: true, hasStateMask: true), batch: 3),
    gradient(
        "of a mask", Gru(resetAfter: true, hasInitialState: true, keepsGates: true, hasStateMask: true),
        arriving: [true, true]),
    gradient(
        "of a mask with the reset before", Gru(resetAfter: false, reverse: true, hasLengths: true, keepsGates: true, hasStateMask: true),
        arriving: [true, false]),
    gradient("of a mask", Rnn(keepsGates: true, hasStateMask: true), arriving: [true, false]),
    gradient("", Rnn(hasLengths: true, hasInitialState: true, keepsGates: true), arriving: [true, true]),
    gradient(
        "of ReLU", Rnn(activation: .relu, reverse: true, keepsGates: true),
        arriving: [true, false], batch: 2, hidden: 16),
    gradient("of no step", Rnn(activation: .none, keepsGates: true), arriving: [true, true], time: 0),
]
