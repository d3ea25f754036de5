import ApusGraph

/// Weights with their least and greatest codes, the biases that fold a zero point in, multipliers that spread the sums over
/// the codes and beyond.
private func weights(_ shape: [Int], zeroPoint: Int, spread: Float = 40) -> [TestInput] {
    var random = TestRandom(UInt64(shape.reduce(3) { $0 &* 31 &+ $1 }))
    let n = shape.last!, depth = shape.dropLast().reduce(1, *)
    let w = TestTensor.make(.i8, shape) { _ in Double(Int.random(in: -128...127, using: &random)) }
    let c = (0..<n).map { column -> Double in
        let sum = (0..<depth).reduce(0) { $0 + Int(w.values[$1 * n + column]) }
        return Double(Int.random(in: -2000...2000, using: &random) - (zeroPoint + 128) * sum)
    }
    let unit = spread / (Float(depth).squareRoot() * 5000)
    let m = (0..<n).map { _ in Double(Float.random(in: 0.2...1.5, using: &random) * unit) }
    return [.values(w), .values(TestTensor(.i32, [n], c)), .values(TestTensor(.f32, [n], m))]
}

/// As after a ReLU: of the lower half of the codes but one in 200, which is the greatest.
private func small(_ shape: [Int], _ from: CodeScale) -> TestInput {
    var random = TestRandom(UInt64(shape.reduce(5) { $0 &* 31 &+ $1 }))
    var x = TestTensor.make(.i8, shape) { _ in
        Double(Int.random(in: 0..<200, using: &random) == 0 ? 127 : Int.random(in: -128...(-1), using: &random))
    }
    x.quantization = from.quantization
    return .values(x)
}

private func dense(
    _ name: String, _ x: [Int], columns: Int, from: CodeScale, to: CodeScale?, bounds: CodeBounds = CodeBounds(),
    residual: CodeScale? = nil, isSmall: Bool = false
) -> OperatorCase {
    let k = x.last!, y = x.dropLast() + [columns], rows = y.dropLast().reduce(1, *)
    return OperatorCase(
        "QuantizedDense \(name)", QuantizedDense(output: to, bounds: bounds, hasResidual: residual != nil),
        [isSmall ? small(x, from) : .codes(x, from)] + weights([k, columns], zeroPoint: Int(from.zeroPoint))
            + (residual.map { [.codes(Array(y), $0)] } ?? []), tolerance: 0
    ) { inputs in
        let sums = (0..<rows * columns).map { i in
            (0..<k).reduce(0) {
                $0 + (Int(inputs[0].values[i / columns * k + $1]) + 128) * Int(inputs[1].values[$1 * columns + i % columns])
            }
        }
        return CodeReference.product(sums, Array(y), inputs, to, bounds)
    }
}

private func conv(
    _ name: String, _ x: [Int], _ w: [Int], strides: Size2D = 1, dilations: Size2D = 1, padding: Padding = .valid,
    groups: Int = 1, from: CodeScale = CodeScale(scale: 0.02, zeroPoint: -5),
    to: CodeScale? = CodeScale(scale: 0.04, zeroPoint: 3), bounds: CodeBounds = CodeBounds(), residual: CodeScale? = nil,
    isSmall: Bool = false
) -> OperatorCase {
    let place = ConvolutionReference(x: x, w: w, strides: strides, dilations: dilations, padding: padding, groups: groups)
    return OperatorCase(
        "QuantizedConv2D \(name)",
        QuantizedConv2D(
            strides: strides, dilations: dilations, padding: padding, groups: groups, output: to, bounds: bounds,
            hasResidual: residual != nil),
        [isSmall ? small(x, from) : .codes(x, from)] + weights(w, zeroPoint: Int(from.zeroPoint))
            + (residual.map { [.codes(place.y, $0)] } ?? []), tolerance: 0
    ) { inputs in
        // Σ (x + 128)·W with x = z in the padding is Σ (x − z)·W inside, plus (z + 128)·ΣW.
        let zero = Int(from.zeroPoint), n = w[3], depth = w.dropLast().reduce(1, *)
        let centred = TestTensor(.f32, x, CodeReference.centred(inputs[0]).values.map { Double($0) })
        let inside = place.output(x: centred, w: inputs[1])
        let columns = (0..<n).map { column in (0..<depth).reduce(0) { $0 + Int(inputs[1].values[$1 * n + column]) } }
        let sums = inside.values.indices.map { Int(inside.values[$0]) + (zero + 128) * columns[$0 % n] }
        return CodeReference.product(sums, place.y, inputs, to, bounds)
    }
}

private let least = CodeScale(scale: 0.1, zeroPoint: -128), greatest = CodeScale(scale: 0.1, zeroPoint: 127)
private let middle = CodeScale(scale: 0.05, zeroPoint: 0)

let quantizedProductCases: [OperatorCase] = [
    dense("1×1", [1, 1], columns: 1, from: middle, to: middle),
    dense("5×7→3", [5, 7], columns: 3, from: least, to: greatest),
    dense("13×20→37 + ReLU", [13, 20], columns: 37, from: greatest, to: least, bounds: CodeBounds(-128, 127)),
    dense("1×784→130", [1, 784], columns: 130, from: middle, to: CodeScale(scale: 0.1, zeroPoint: -17)),
    dense("2×200→40", [2, 200], columns: 40, from: greatest, to: middle),
    dense("2×3×65→16, bounds", [2, 3, 65], columns: 16, from: middle, to: middle, bounds: CodeBounds(-3, 91)),
    dense("3×64→48 + residual", [3, 64], columns: 48, from: least, to: middle, residual: CodeScale(scale: 0.07, zeroPoint: 9)),
    dense("6×33→10, real", [6, 33], columns: 10, from: middle, to: nil),
    dense("40×31→70", [40, 31], columns: 70, from: CodeScale(scale: 0.3, zeroPoint: 31), to: middle),
    dense("49×200→40, small", [49, 200], columns: 40, from: least, to: middle, isSmall: true),
    dense("113×3→20, small, real", [113, 3], columns: 20, from: least, to: nil, isSmall: true),
    conv("1×1", [2, 5, 4, 9], [1, 1, 9, 18]),
    conv("1×1, small, two blocks", [1, 14, 14, 33], [1, 1, 33, 50], from: least, isSmall: true),
    conv(
        "3×3, small, stride 2 + residual", [1, 13, 15, 24], [3, 3, 24, 34], strides: 2, padding: .same, from: least,
        residual: CodeScale(scale: 0.05, zeroPoint: 12), isSmall: true),
    conv("1×1, stride 2", [1, 7, 6, 16], [1, 1, 16, 33], strides: 2),
    conv("3×3, same", [1, 6, 7, 3], [3, 3, 3, 8], padding: .same, from: least),
    conv("3×3, same, stride 2", [2, 7, 9, 5], [3, 3, 5, 20], strides: 2, padding: .same, from: greatest),
    conv(
        "3×2, dilated, explicit", [1, 8, 9, 4], [3, 2, 4, 17], strides: Size2D(1, 2), dilations: Size2D(2, 3),
        padding: .explicit(top: 2, left: 3, bottom: 1, right: 0)),
    conv("7×7, stride 2, 1 channel", [1, 15, 14, 1], [7, 7, 1, 16], strides: 2, padding: .same),
    conv("3×3, 2 groups", [1, 5, 5, 6], [3, 3, 3, 34], padding: .same, groups: 2),
    conv("5×1 over all", [1, 5, 3, 12], [5, 1, 12, 4], to: nil),
    conv(
        "3×3 + residual + bounds", [1, 5, 6, 8], [3, 3, 8, 24], padding: .same, bounds: CodeBounds(3, 127),
        residual: CodeScale(scale: 0.09, zeroPoint: -100)),
    conv(
        "3×3 over whole lines, two blocks", [1, 14, 15, 20], [3, 3, 20, 66], padding: .same,
        residual: CodeScale(scale: 0.05, zeroPoint: 12)),
    conv(
        "3×3 over whole lines, explicit, real", [1, 7, 8, 32], [3, 3, 32, 40],
        padding: .explicit(top: 2, left: 1, bottom: 0, right: 3), to: nil),
    conv(
        "5×3 over whole lines, 3 channels, two blocks, residual", [1, 30, 29, 3], [5, 3, 3, 34], strides: Size2D(1, 2),
        padding: .same, residual: CodeScale(scale: 0.05, zeroPoint: 12)),
    conv(
        "3×3, 16 channels, two images + residual + bounds", [2, 7, 5, 16], [3, 3, 16, 90], padding: .same,
        bounds: CodeBounds(-90, 100), residual: CodeScale(scale: 0.09, zeroPoint: -100)),
    conv("3×3, 16 channels, blocks of tiles", [1, 23, 24, 16], [3, 3, 16, 20], padding: .same, from: greatest),
    conv("depthwise 3×3, same", [2, 6, 5, 19], [3, 3, 1, 19], padding: .same, groups: 19, from: least),
    conv(
        "depthwise 3×3, stride 2, explicit", [1, 9, 8, 70], [3, 3, 1, 70], strides: 2,
        padding: .explicit(top: 1, left: 1, bottom: 0, right: 0), groups: 70, bounds: CodeBounds(-20, 90)),
    conv("depthwise 3×3, many channels", [1, 3, 6, 150], [3, 3, 1, 150], padding: .same, groups: 150),
    conv("depthwise 5×4, many channels", [1, 5, 6, 300], [5, 4, 1, 300], padding: .same, groups: 300),
    conv("depthwise 5×5, dilated", [1, 11, 10, 64], [5, 5, 1, 64], dilations: 2, padding: .same, groups: 64),
    conv("depthwise 3×3, real", [1, 4, 4, 5], [3, 3, 1, 5], padding: .same, groups: 5, to: nil),
    conv("depthwise, two for each", [1, 4, 5, 6], [3, 3, 1, 12], padding: .same, groups: 6),
    conv(
        "depthwise + residual", [1, 4, 5, 33], [3, 3, 1, 33], padding: .same, groups: 33,
        residual: CodeScale(scale: 0.03, zeroPoint: 127)),
]
