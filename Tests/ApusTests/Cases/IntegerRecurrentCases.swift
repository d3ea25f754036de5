@testable import ApusGraph

// Section 13 of Docs/Quantization.md, in Float where it says binary32.

private func tanhOfCells(_ x: Float) -> Float {
    let v = x < -8 ? -8 : x > 8 ? 8 : x, square = v * v
    func polynomial(_ coefficients: [Float]) -> Float {
        coefficients.dropFirst().reduce(coefficients[0]) { $1.addingProduct($0, square) }
    }
    let top = polynomial([-0x1.9db0cep-28, 0x1.db5cbap-18, 0x1.5fdcb6p-9, 0x1.04176ep-3, 0x1.ffffe0p-1])
    return v * top / polynomial([0x1.999264p-13, 0x1.758330p-6, 0x1.d76028p-2, 1])
}
private func sigmoidOfCells(_ x: Float) -> Float { Float(0.5).addingProduct(0.5, tanhOfCells(0.5 * x)) }

/// One sequence, element by element: x [time][gates·hidden] → y and the states after it.
private func sequence(
    _ op: RecurrentLayer, _ x: [[Float]], _ product: ([Float]) -> [Float], _ b: [Float], length: Int, _ start: [[Float]]
) -> (y: [[Float]], states: [[Float]]) {
    var h = start[0], c = start.last!
    let n = h.count
    var y = [[Float]](repeating: [Float](repeating: 0, count: n), count: x.count)
    for t in op.reverse ? Array((0..<x.count).reversed()) : Array(0..<x.count) where t < length {
        let sums = product(h)
        func v(_ gate: Int, _ j: Int) -> Float { x[t][gate * n + j] + sums[gate * n + j] }
        switch op {
        case is Lstm:
            for j in 0..<n {
                c[j] = sigmoidOfCells(v(1, j)) * c[j] + sigmoidOfCells(v(0, j)) * tanhOfCells(v(2, j))
                h[j] = sigmoidOfCells(v(3, j)) * tanhOfCells(c[j])
            }
        case is Gru:
            let reset = (0..<n).map { sigmoidOfCells(v(0, $0)) }
            let again = op.resetAfter ? [] : product(zip(reset, h).map { $0 * $1 })
            for j in 0..<n {
                let x = x[t][2 * n + j]
                let new = tanhOfCells(x + (op.resetAfter ? reset[j] * (sums[2 * n + j] + b[j]) : again[2 * n + j]))
                h[j] = new + sigmoidOfCells(v(1, j)) * (h[j] - new)
            }
        default:
            h = (0..<n).map { j -> Float in
                switch op.activation {
                case .relu: max(0, v(0, j))
                case .sigmoid: sigmoidOfCells(v(0, j))
                default: tanhOfCells(v(0, j))
                }
            }
        }
        y[t] = h
    }
    return (y, op is Lstm ? [h, c] : [h])
}

private func outputs(_ op: RecurrentLayer, _ inputs: [TestTensor], _ hidden: Int) -> [TestTensor] {
    let x = inputs[0], count = op.stateProduct.inputCount, weights = Array(inputs[1...count])
    let batch = x.shape[op.timeMajor ? 1 : 0], time = x.shape[op.timeMajor ? 0 : 1]
    func product(_ row: [Float]) -> [Float] {
        (0..<op.gates * hidden).map { column in
            switch op.stateProduct {
            case .weightOnly(let block, _, let dynamic):
                weightOnlySum(row, weights, column: column, block: block == 0 ? hidden : block, dynamic: dynamic)
            default: dynamicSum(row, weights, column: column)
            }
        }
    }
    var rest = inputs[(1 + count)...]
    let b = op.resetAfter ? rest.removeFirst().values.map { Float($0) } : []
    let lengths = op.hasLengths ? rest.removeFirst().values : [Double](repeating: Double(time), count: batch)
    let starts = (0..<op.stateCount).map { _ in
        op.hasInitialState ? rest.removeFirst() : TestTensor.make(.f32, [batch, hidden]) { _ in 0 }
    }
    let results = (0..<batch).map { n in
        sequence(
            op, (0..<time).map { t in (0..<x.shape[2]).map { Float(x[op.timeMajor ? [t, n, $0] : [n, t, $0]]) } }, product, b,
            length: Int(lengths[n]), starts.map { start in (0..<hidden).map { Float(start[[n, $0]]) } })
    }
    let y = TestTensor.make(.f32, [x.shape[0], x.shape[1], hidden]) { i in
        Double(op.timeMajor ? results[i[1]].y[i[0]][i[2]] : results[i[0]].y[i[1]][i[2]])
    }
    return [y] + (0..<op.stateCount).map { state in
        TestTensor.make(.f32, [batch, hidden]) { Double(results[$0[0]].states[state][$0[1]]) }
    }
}

private func layer(
    _ name: String, _ op: RecurrentLayer, batch: Int = 2, time: Int = 4, hidden: Int = 5, weights dtype: DType = .i8
) -> OperatorCase {
    let n = op.gates * hidden, scale = dtype == .i4 ? 0.2 : 0.02
    var inputs: [TestInput] = [.real(op.timeMajor ? [time, batch, n] : [batch, time, n], -2...2)]
    switch op.stateProduct {
    case .weightOnly(let block, let hasZeroPoints, _):
        let blocks = block == 0 ? 1 : (hidden + block - 1) / block
        let codes = dtype == .i4 ? -8...7 : -127...127
        inputs.append(.integers([hidden, n], codes, dtype))
        let scales = TestTensor.make(.f16, [blocks, n]) { i in Double(Float16(scale / Double(1 + (i[0] + i[1]) % 5))) }
        inputs.append(.values(scales))
        if hasZeroPoints { inputs.append(.integers([blocks, n], -3...3, .i8)) }
    default:
        inputs += dynamicWeights(depth: hidden, columns: n).map { .values($0) } + [.real([n], 0.001...0.02)]
    }
    if op.resetAfter { inputs.append(.real([hidden], -0.5...0.5)) }
    if op.hasLengths { inputs.append(.integers([batch], 0...time, op.reverse ? .i64 : .i32)) }
    if op.hasInitialState { for _ in 0..<op.stateCount { inputs.append(.real([batch, hidden], -1...1)) } }
    let product = op.stateProduct.op!
    return OperatorCase("\(op.name) by \(product.name) \(name)", op, inputs, tolerance: 0) { outputs(op, $0, hidden) }
}

let integerRecurrentCases: [OperatorCase] = [
    layer("", Lstm(stateProduct: .dynamic)),
    layer("of one sequence", Lstm(hasLengths: true, hasInitialState: true, stateProduct: .dynamic), batch: 1, time: 6, hidden: 48),
    layer("of many sequences", Lstm(timeMajor: true, stateProduct: .dynamic), batch: 27, time: 3, hidden: 33),
    layer("backwards", Lstm(reverse: true, hasLengths: true, stateProduct: .dynamic), batch: 5, hidden: 16),
    layer("of no step", Lstm(hasInitialState: true, stateProduct: .dynamic), time: 0),
    layer("of no sequence", Lstm(stateProduct: .dynamic), batch: 0),
    layer("", Gru(resetAfter: false, stateProduct: .dynamic), batch: 3, hidden: 18),
    layer("with the reset after", Gru(resetAfter: true, hasInitialState: true, stateProduct: .dynamic), batch: 1, time: 7, hidden: 64),
    layer("", Rnn(stateProduct: .dynamic), batch: 1, hidden: 24),
    layer("of ReLU", Rnn(activation: .relu, hasInitialState: true, stateProduct: .dynamic), batch: 3, hidden: 18),
    layer("of i8", Lstm(hasInitialState: true, stateProduct: .weightOnly()), batch: 3, hidden: 35),
    layer("of i8, zero points", Gru(resetAfter: false, reverse: true, stateProduct: .weightOnly(blockSize: 32, hasZeroPoints: true)), hidden: 40),
    layer("of i4", Gru(resetAfter: true, hasLengths: true, stateProduct: .weightOnly(blockSize: 32)), batch: 1, hidden: 64, weights: .i4),
    layer("of i4, codes", Lstm(stateProduct: .weightOnly(blockSize: 32, hasZeroPoints: true, dynamicActivations: true)), batch: 4, hidden: 48, weights: .i4),
    layer("of i8", Rnn(activation: .sigmoid, stateProduct: .weightOnly()), batch: 2, hidden: 9),
]
