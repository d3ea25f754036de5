import ApusGraph
import Foundation

private let a = CodeScale(scale: 0.11, zeroPoint: -128), b = CodeScale(scale: 0.023, zeroPoint: 127)
private let y = CodeScale(scale: 0.13, zeroPoint: 5)

private func quantize(_ name: String, _ x: TestInput, _ to: CodeScale) -> OperatorCase {
    OperatorCase("Quantize \(name)", Quantize(to: to), [x], tolerance: 0) { inputs in
        [TestTensor(.i8, inputs[0].shape, inputs[0].values.map { CodeReference.quantize(Float($0) / to.scale, to) })]
    }
}

private func add(
    _ name: String, _ first: [Int], _ second: [Int], _ from: (CodeScale, CodeScale), _ to: CodeScale,
    _ bounds: CodeBounds = CodeBounds()
) -> [OperatorCase] {
    let inputs: [TestInput] = [.codes(first, from.0), .codes(second, from.1)]
    func centred(_ inputs: [TestTensor]) -> [TestTensor] {
        inputs.map { TestTensor(.f32, $0.shape, CodeReference.centred($0).values.map { Double($0) }) }
    }
    return [
        OperatorCase("QuantizedAdd \(name)", QuantizedAdd(output: to, bounds: bounds), inputs, tolerance: 0) { inputs in
            [
                TestTensor.elementwise(centred(inputs), as: .i8) {
                    let x = Float($0[0]) * (from.0.scale / to.scale)
                    return CodeReference.quantize(x + Float($0[1]) * (from.1.scale / to.scale), to, bounds)
                }
            ]
        },
        OperatorCase("QuantizedMul \(name)", QuantizedMul(output: to, bounds: bounds), inputs, tolerance: 0) { inputs in
            let m = Float(Double(from.0.scale) * Double(from.1.scale) / Double(to.scale))
            return [
                TestTensor.elementwise(centred(inputs), as: .i8) {
                    CodeReference.quantize(Float($0[0] * $0[1]) * m, to, bounds)
                }
            ]
        },
    ]
}

/// The pools of codes; a kernel of 0 is one window.
private func pools(
    _ name: String, _ x: [Int], kernel: Size2D, strides: Size2D? = nil, padding: Padding = .valid, counts: Bool = false
) -> [OperatorCase] {
    let window = kernel == 0 ? Size2D(x[1], x[2]) : kernel
    let windows = PoolWindows(x: x, kernel: window, strides: strides ?? window, padding: padding)
    let average = OperatorCase(
        "QuantizedAvgPool \(name)",
        QuantizedAvgPool(kernel: kernel, strides: strides, padding: padding, countsPadding: counts, output: y),
        [.codes(x, a)], tolerance: 0
    ) { inputs in
        let centred = CodeReference.centred(inputs[0])
        let values = windows.inside.map { window -> Double in
            let n = counts ? kernel.height * kernel.width : window.count
            let m = Float(Double(centred.scale) / (Double(y.scale) * Double(n)))
            return CodeReference.quantize(Float(window.reduce(0) { $0 + centred.values[$1] }) * m, y)
        }
        return [TestTensor(.i8, windows.y, values)]
    }
    guard kernel != 0 else { return [average] }
    return [
        average,
        OperatorCase(
            "MaxPool of codes \(name)", MaxPool(kernel: kernel, strides: strides, padding: padding), [.codes(x, b)],
            tolerance: 0
        ) { inputs in [TestTensor(.i8, windows.y, windows.inside.map { $0.map { inputs[0].values[$0] }.max()! })] },
    ]
}

private func lookup(_ name: String, _ shape: [Int], to: CodeScale?) -> OperatorCase {
    let table = (0..<256).map { i -> Double in
        let real = tanh(Double(a.scale) * Double(i - 128 - Int(a.zeroPoint)) - 10)
        guard let to else { return Double(Float(real)) }
        return CodeReference.quantize(Float(real / Double(to.scale)), to)
    }
    return OperatorCase(
        "Lookup \(name)", Lookup(output: to),
        [.codes(shape, a), .values(TestTensor(to == nil ? .f32 : .i8, [256], table))], tolerance: 0
    ) { inputs in [TestTensor(to == nil ? .f32 : .i8, shape, inputs[0].values.map { table[Int($0) + 128] })] }
}

private func softmax(_ name: String, _ shape: [Int]) -> OperatorCase {
    let table = (0..<256).map { (65536 * exp(-Double(a.scale) * Double($0))).rounded(.toNearestOrEven) }
    return OperatorCase(
        "QuantizedSoftmax \(name)", QuantizedSoftmax(), [.codes(shape, a, -100...90), .values(TestTensor(.i32, [256], table))],
        tolerance: 0
    ) { inputs in
        let width = shape.last!
        var result: [Double] = []
        for row in 0..<shape.dropLast().reduce(1, *) {
            let x = inputs[0].values[row * width..<(row + 1) * width]
            let e = x.map { table[Int(x.max()! - $0)] }
            let scale = 256 / Float(e.reduce(0, +))
            result += e.map { CodeReference.quantize(Float($0) * scale, QuantizedSoftmax.output) }
        }
        return [TestTensor(.i8, shape, result)]
    }
}

/// What moves codes gives them on with their scale.
private let moved: [OperatorCase] = [
    OperatorCase("Pad of codes", Pad(before: [1, 0], after: [0, 2]), [.codes([2, 3], b)], tolerance: 0) { inputs in
        [
            TestTensor.make(.i8, [3, 5]) { $0[0] < 1 || $0[1] > 2 ? 127 : inputs[0][[$0[0] - 1, $0[1]]] }
        ]
    },
    OperatorCase("Transpose of codes", Transpose([1, 0]), [.codes([3, 4], a)], tolerance: 0) { inputs in
        [TestTensor.make(.i8, [4, 3]) { inputs[0][[$0[1], $0[0]]] }]
    },
    OperatorCase("Concat of codes", Concat(axis: 0), [.codes([2, 3], a), .codes([1, 3], a)], tolerance: 0) {
        [TestTensor(.i8, [3, 3], $0[0].values + $0[1].values)]
    },
]

let codeCases: [OperatorCase] = [
    [
        quantize("of 1", .real([1]), y),
        quantize("5×77", .real([5, 77], -20...20), a),
        quantize(
            "of special numbers and ties", .floats([16], [.nan, .infinity, -.infinity, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 1e30, -1e30, -0.0, 126.5, 127.5, -128.5, -129.5]),
            CodeScale(scale: 1)),
        quantize("of halves of a scale", .floats([600], (0..<600).map { Double((Float($0) - 299.5) * y.scale) }), y),
        quantize("to the least zero point", .real([1100], -4...30), a),
        OperatorCase("Dequantize", Dequantize(), [.codes([3, 111], b)], tolerance: 0) { inputs in
            let x = CodeReference.centred(inputs[0])
            return [TestTensor(.f32, [3, 111], x.values.map { Double(x.scale * Float($0)) })]
        },
        lookup("of codes", [3, 171], to: y),
        lookup("of 2", [2], to: y),
        lookup("to reals", [300], to: nil),
        softmax("of 1", [1, 1]),
        softmax("3×7", [3, 7]),
        softmax("of 300", [300]),
    ],
    add("1", [1], [1], (a, b), y),
    add("2×3×70", [2, 3, 70], [2, 3, 70], (a, b), y, CodeBounds(-50, 60)),
    add("broadcast", [2, 1, 37], [5, 1], (b, a), a),
    add("ties", [40, 41], [41], (CodeScale(scale: 0.5), CodeScale(scale: 0.25)), CodeScale(scale: 0.5, zeroPoint: -1)),
    pools("2×2", [1, 4, 6, 3], kernel: 2),
    pools("2×2, eleven across", [1, 3, 23, 20], kernel: 2),
    pools("3×3, stride 2, same", [2, 7, 5, 70], kernel: 3, strides: 2, padding: .same),
    pools(
        "3×3, padding counted", [1, 5, 6, 17], kernel: 3, strides: 1,
        padding: .explicit(top: 1, left: 1, bottom: 1, right: 0), counts: true),
    pools("over all", [2, 7, 7, 65], kernel: 0),
    moved,
].flatMap { $0 }
