import ApusGraph
import Foundation

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// One sequence, element by element: x [time][gates·hidden] → y, and the states after it.
private func sequence(
    _ op: RecurrentLayer, _ x: [[Double]], _ r: TestTensor, _ b: [Double], length: Int, _ start: [[Double]]
) -> (y: [[Double]], states: [[Double]]) {
    let hidden = r.shape[1]
    var h = start[0], c = start.last!
    var y = [[Double]](repeating: [Double](repeating: 0, count: hidden), count: x.count)
    func product(_ a: [Double], _ gate: Int, _ j: Int) -> Double { (0..<hidden).reduce(0) { $0 + a[$1] * r[[gate, $1, j]] } }
    let times = op.reverse ? Array((0..<x.count).reversed()) : Array(0..<x.count)
    for t in times where t < length {
        func sum(_ gate: Int, _ j: Int) -> Double { x[t][gate * hidden + j] + product(h, gate, j) }
        switch op {
        case is Lstm:
            let before = h
            func old(_ gate: Int, _ j: Int) -> Double { x[t][gate * hidden + j] + product(before, gate, j) }
            for j in 0..<hidden {
                c[j] = sigmoid(old(1, j)) * c[j] + sigmoid(old(0, j)) * tanh(old(2, j))
                h[j] = sigmoid(old(3, j)) * tanh(c[j])
            }
        case is Gru:
            let reset = (0..<hidden).map { sigmoid(sum(0, $0)) }, update = (0..<hidden).map { sigmoid(sum(1, $0)) }
            let resetState = (0..<hidden).map { reset[$0] * h[$0] }
            let new = (0..<hidden).map { j in
                tanh(x[t][2 * hidden + j] + (op.resetAfter ? reset[j] * (product(h, 2, j) + b[j]) : product(resetState, 2, j)))
            }
            h = (0..<hidden).map { (1 - update[$0]) * new[$0] + update[$0] * h[$0] }
        default:
            let sums = (0..<hidden).map { sum(0, $0) }
            h = sums.map { op.activation == .relu ? max(0, $0) : tanh($0) }
        }
        y[t] = h
    }
    return (y, op is Lstm ? [h, c] : [h])
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
    let count = op is Lstm ? 2 : 1
    let starts = (0..<count).map { _ in op.hasInitialState ? take() : TestTensor.make(.f32, [batch, hidden]) { _ in 0 } }
    let results = (0..<batch).map { n in
        sequence(
            op, (0..<time).map { t in (0..<x.shape[2]).map { x[op.timeMajor ? [t, n, $0] : [n, t, $0]] } }, r, b,
            length: Int(lengths[n]), starts.map { start in (0..<hidden).map { start[[n, $0]] } })
    }
    var shape = x.shape
    shape[2] = hidden
    let y = TestTensor.make(.f32, shape) { i in
        op.timeMajor ? results[i[1]].y[i[0]][i[2]] : results[i[0]].y[i[1]][i[2]]
    }
    return [y] + (0..<count).map { state in
        TestTensor.make(.f32, [batch, hidden]) { results[$0[0]].states[state][$0[1]] }
    }
}

private func layer(
    _ name: String, _ op: RecurrentLayer, batch: Int = 2, time: Int = 4, hidden: Int = 5
) -> OperatorCase {
    let gates = op is Lstm ? 4 : op is Gru ? 3 : 1
    var inputs: [TestInput] = [
        .real(op.timeMajor ? [time, batch, gates * hidden] : [batch, time, gates * hidden]),
        .real([gates, hidden, hidden], -0.5...0.5),
    ]
    if op.resetAfter { inputs.append(.real([hidden], -0.5...0.5)) }
    if op.hasLengths { inputs.append(.integers([batch], 0...time, op.reverse ? .i64 : .i32)) }
    if op.hasInitialState { for _ in 0..<(op is Lstm ? 2 : 1) { inputs.append(.real([batch, hidden], -1...1)) } }
    return OperatorCase("\(op.name) \(name)", op, inputs, tolerance: 2e-5) { outputs(op, $0) }
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
    layer("", Gru(resetAfter: false)),
    layer("with the reset after", Gru(resetAfter: true), hidden: 33),
    layer("of many sequences", Gru(resetAfter: false, timeMajor: true, hasInitialState: true), batch: 14, hidden: 16),
    layer("backwards", Gru(resetAfter: true, reverse: true, hasLengths: true, hasInitialState: true), batch: 5, time: 6),
    layer("", Rnn()),
    layer("of ReLU", Rnn(activation: .relu, hasInitialState: true), batch: 3, hidden: 18),
    layer("backwards", Rnn(reverse: true, timeMajor: true, hasLengths: true), batch: 4, hidden: 7),
]
