import ApusGraph

private func weightOnly(
    _ name: String, _ x: [Int], of input: TestInput? = nil, columns n: Int, _ dtype: DType, block: Int = 0, zeros: Bool = false,
    bias: Bool = true, residual: Bool = false, activation: Activation = .none, dynamic: Bool = false
) -> OperatorCase {
    let k = x.last!, size = block == 0 ? k : block, blocks = (k + size - 1) / size
    let codes = dtype == .i4 ? -8...7 : -128...127
    let scales = TestTensor.make(.f16, [blocks, n]) { Double(Float16(0.01 * Double(1 + ($0[0] * 7 + $0[1]) % 13))) }
    return OperatorCase(
        "WeightOnlyDense \(name)",
        WeightOnlyDense(
            blockSize: block, hasZeroPoints: zeros, hasBias: bias, hasResidual: residual, activation: activation,
            dynamicActivations: dynamic),
        [input ?? .real(x), .integers([k, n], codes, dtype), .values(scales)]
            + (zeros ? [.integers([blocks, n], codes, .i8)] : []) + (bias ? [.real([n])] : [])
            + (residual ? [.real(x.dropLast() + [n])] : []), tolerance: 0
    ) { inputs in
        let rows = x.dropLast().reduce(1, *), terms = inputs[(zeros ? 4 : 3)...]
        let y = TestTensor.make(.f32, [rows, n]) { i in
            let row = inputs[0].values[i[0] * k..<(i[0] + 1) * k].map { Float($0) }
            let y = weightOnlySum(row, Array(inputs[1..<(zeros ? 4 : 3)]), column: i[1], block: size, dynamic: dynamic)
            return finished(y, terms, row: i[0], column: i[1], columns: n, activation)
        }
        return [TestTensor(.f32, x.dropLast() + [n], y.values)]
    }
}

/// Section 7 of Docs/Quantization.md: one sum of a row, `weights` being W, scales and where they are zero points.
func weightOnlySum(_ row: [Float], _ weights: [TestTensor], column: Int, block: Int, dynamic: Bool) -> Float {
    let n = weights[0].shape[1], k = row.count, (factors, scale) = dynamic ? rowCodes(row) : (row, 1)
    var y: Float = 0
    for b in 0..<(k + block - 1) / block {
        var sum: Float = 0
        for at in b * block..<min(k, (b + 1) * block) {
            let w = weights[0].values[at * n + column] - (weights.count > 2 ? weights[2].values[b * n + column] : 0)
            sum.addProduct(factors[at], Float(w))
        }
        y.addProduct(sum, Float(weights[1].values[b * n + column]))
    }
    return y * scale
}

/// Section 8: likewise, `weights` being W, the sums of its columns and their scales.
func dynamicSum(_ row: [Float], _ weights: [TestTensor], column: Int) -> Float {
    let n = weights[0].shape[1], (codes, s) = rowCodes(row)
    let acc = row.indices.reduce(0) { $0 + Int(codes[$1]) * Int(weights[0].values[$1 * n + column]) }
    return Float(acc) * s * Float(weights[2].values[column])
}

/// Weights of a DynamicDense and the sums of their columns.
func dynamicWeights(depth k: Int, columns n: Int) -> [TestTensor] {
    var random = TestRandom(UInt64(k * 1000 + n))
    let w = TestTensor.make(.i8, [k, n]) { _ in Double(Int.random(in: -128...127, using: &random)) }
    return [w, TestTensor.make(.i32, [n]) { i in -128 * (0..<k).reduce(0) { $0 + w.values[$1 * n + i[0]] } }]
}

/// A row that comes to numbers without all their bits, and zeros.
private func tiny(_ k: Int) -> TestInput {
    .floats([1, k], (0..<k).map { $0 % 7 == 6 ? 0 : Double(sign: $0 % 2 == 0 ? .plus : .minus, exponent: -80 - $0, significand: 1.3) })
}

/// The codes of a row by its greatest magnitude, and their scale.
private func rowCodes(_ x: [Float]) -> (codes: [Float], scale: Float) {
    let most = x.reduce(Float(0)) { abs($1) > $0 ? abs($1) : $0 }, t = most < 0x1p-100 ? 0 : 127 / most
    return (x.map { Float(CodeReference.quantize($0 * t, CodeScale(scale: 1), CodeBounds(-127, 127))) }, most / 127)
}

/// act(y + bias + residual) in single precision; a bias has `n` elements, and a residual one for each of y.
private func finished(
    _ y: Float, _ terms: ArraySlice<TestTensor>, row: Int, column: Int, columns n: Int, _ activation: Activation
) -> Double {
    let sum = terms.reduce(y) { $0 + Float($1.values[$1.shape.count == 1 ? column : row * n + column]) }
    return Double(activation == .relu ? max(sum, 0) : sum)
}

private func dynamic(
    _ name: String, _ x: TestInput, rows: [Int], depth k: Int, columns n: Int, bias: Bool = true, residual: Bool = false,
    activation: Activation = .none
) -> OperatorCase {
    OperatorCase(
        "DynamicDense \(name)", DynamicDense(hasBias: bias, hasResidual: residual, activation: activation),
        [x] + dynamicWeights(depth: k, columns: n).map { .values($0) } + [.real([n], 0.001...0.02)] + (bias ? [.real([n])] : [])
            + (residual ? [.real(rows + [n])] : []), tolerance: 0
    ) { inputs in
        let m = rows.reduce(1, *)
        var y: [Double] = []
        for row in 0..<m {
            let x = (0..<k).map { Float(inputs[0].values[row * k + $0]) }
            for column in 0..<n {
                let v = dynamicSum(x, Array(inputs[1...3]), column: column)
                y.append(finished(v, inputs[4...], row: row, column: column, columns: n, activation))
            }
        }
        return [TestTensor(.f32, rows + [n], y)]
    }
}

let integerWeightCases: [OperatorCase] = [
    weightOnly("i8, 1×1", [1, 1], columns: 1, .i8),
    weightOnly("i8, 3×70→37", [3, 70], columns: 37, .i8),
    weightOnly("i8, 1×130→150", [1, 130], columns: 150, .i8, bias: false),
    weightOnly("i8, blocks of 64, zero points", [2, 5, 150], columns: 20, .i8, block: 64, zeros: true),
    weightOnly("i8, zero points, two rows", [2, 150], columns: 70, .i8, block: 64, zeros: true),
    weightOnly("i4, blocks of 32", [1, 96], columns: 140, .i4, block: 32),
    weightOnly("i4, blocks of 32, rest", [7, 77], columns: 35, .i4, block: 32, zeros: true),
    weightOnly("i4, blocks of 128, zero points", [1, 300], columns: 131, .i4, block: 128, zeros: true),
    weightOnly("i4, one scale a column", [67, 30], columns: 16, .i4),
    weightOnly("i8, residual", [3, 70], columns: 37, .i8, residual: true, activation: .relu),
    weightOnly("i4, residual alone", [1, 2, 96], columns: 140, .i4, block: 32, bias: false, residual: true),
    weightOnly("i4, of tiny numbers", [1, 64], of: tiny(64), columns: 70, .i4, block: 32, bias: false),
    weightOnly("i8, of tiny numbers", [1, 40], of: tiny(40), columns: 70, .i8, bias: false),
    weightOnly("i4, codes, blocks of 32", [1, 96], columns: 140, .i4, block: 32, dynamic: true),
    weightOnly("i4, codes, rest, zero points", [7, 77], columns: 35, .i4, block: 32, zeros: true, dynamic: true),
    weightOnly(
        "i4, codes, blocks of 128, residual", [3, 2, 300], columns: 131, .i4, block: 128, zeros: true, bias: false, residual: true,
        activation: .relu, dynamic: true),
    weightOnly("i4, codes, blocks of 64", [67, 130], columns: 16, .i4, block: 64, dynamic: true),
    dynamic("1×1", .real([1, 1]), rows: [1], depth: 1, columns: 1),
    dynamic("5×33→20", .real([5, 33]), rows: [5], depth: 33, columns: 20),
    dynamic("2×3×64→100", .real([2, 3, 64], -100...100), rows: [2, 3], depth: 64, columns: 100, bias: false),
    dynamic("residual", .real([5, 33]), rows: [5], depth: 33, columns: 20, residual: true, activation: .relu),
    dynamic(
        "residual alone", .real([1, 2, 64]), rows: [1, 2], depth: 64, columns: 150, bias: false, residual: true),
    dynamic(
        "of zeros, ties, NaN and infinity",
        .floats([4, 4], [0, 0, -0.0, 1e-38, 127, 0.5, 1.5, -2.5, .nan, 1, -2, 3, .infinity, 1, -.infinity, 0]), rows: [4],
        depth: 4, columns: 3),
]
