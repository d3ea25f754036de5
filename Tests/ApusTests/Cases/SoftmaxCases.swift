import ApusGraph
import Foundation

/// `body` applied to every row along an axis.
private func alongAxis(
    _ tensors: [TestTensor], _ axis: Int, _ body: ([[Double]]) -> [Double]
) -> [TestTensor] {
    let shape = tensors[0].shape, axis = axis < 0 ? axis + shape.count : axis
    var result = tensors[0]
    var rows = shape
    rows[axis] = 1
    for start in TestTensor.indices(rows) {
        let places = (0..<shape[axis]).map { k in start.enumerated().map { $0.offset == axis ? k : $0.element } }
        let values = body(tensors.map { t in places.map { t[$0] } })
        for (place, value) in zip(places, values) { result[place] = value }
    }
    return [result]
}

private func softmax(_ x: [Double]) -> [Double] {
    let m = x.max() ?? 0, powers = x.map { exp($0 - m) }, sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
}

private func logSoftmax(_ x: [Double]) -> [Double] {
    let m = x.max() ?? 0, logarithm = log(x.map { exp($0 - m) }.reduce(0, +))
    return x.map { $0 - m - logarithm }
}

private let shapes: [(shape: [Int], axis: Int)] = [
    ([1], 0), ([7], 0), ([3, 16], -1), ([2, 17], 1), ([5, 10], 0), ([2, 3, 20], 1), ([4, 1], -1), ([3, 1030], -1),
    ([40, 3, 19], 0), ([0, 4], 1), ([2, 0], 1),
]

/// Rows with infinities, huge numbers and NaN.
private let extremes = TestInput.floats(
    [6, 4],
    [
        -.infinity, 0, 1, 2, 1000, 999, -1000, 1000, -.infinity, -.infinity, -.infinity, -.infinity, .infinity, 0, 0, 0,
        .nan, 0, 0, 0, -3e38, 3e38, 0, 0,
    ])

private func extreme(_ x: [Double], _ body: ([Double]) -> [Double]) -> [Double] {
    let m = x.reduce(-Double.infinity) { $1.isNaN ? $1 : max($0, $1) }
    return m.isFinite && !x.contains { $0.isNaN } ? body(x) : x.map { _ in .nan }
}

let softmaxCases: [OperatorCase] = shapes.flatMap { shape, axis in
    let gradients = shape.reduce(1, *) < 150 ? [0] : []
    // Sums of a thousand terms of either sign keep fewer digits.
    let sumTolerance = shape.max()! > 1000 ? 2e-5 : 2e-6
    return [
        OperatorCase(
            "Softmax \(shape), axis \(axis)", Softmax(axis: axis), [.real(shape, -5...5)], gradients: gradients,
            tolerance: 1e-6) { alongAxis($0, axis) { softmax($0[0]) } },
        OperatorCase(
            "LogSoftmax \(shape), axis \(axis)", LogSoftmax(axis: axis), [.real(shape, -5...5)], gradients: gradients,
            tolerance: 1e-6) { alongAxis($0, axis) { logSoftmax($0[0]) } },
        OperatorCase(
            "SoftmaxGradient \(shape), axis \(axis)", SoftmaxGradient(axis: axis), [.real(shape, 0...1), .real(shape)],
            tolerance: sumTolerance
        ) {
            alongAxis($0, axis) { rows in
                let sum = zip(rows[0], rows[1]).reduce(0) { $0 + $1.0 * $1.1 }
                return zip(rows[0], rows[1]).map { $0 * ($1 - sum) }
            }
        },
        OperatorCase(
            "LogSoftmaxGradient \(shape), axis \(axis)", LogSoftmaxGradient(axis: axis),
            [.real(shape, -5...0), .real(shape)], tolerance: sumTolerance
        ) {
            alongAxis($0, axis) { rows in
                let sum = rows[1].reduce(0, +)
                return zip(rows[0], rows[1]).map { $1 - exp($0) * sum }
            }
        },
    ]
} + [
    OperatorCase("Softmax of extremes", Softmax(), [extremes], tolerance: 1e-6) {
        alongAxis($0, 1) { extreme($0[0], softmax) }
    },
    OperatorCase("LogSoftmax of extremes", LogSoftmax(), [extremes], tolerance: 1e-6) {
        alongAxis($0, 1) { extreme($0[0], logSoftmax).map { DType.f32.stored($0) } }
    },
]

// MARK: Cross entropy

private func rows(_ t: TestTensor) -> [[Double]] {
    let width = t.shape.last!
    return (0..<t.count / width).map { Array(t.values[$0 * width..<($0 + 1) * width]) }
}

private func sparseLoss(_ inputs: [TestTensor]) -> [TestTensor] {
    let losses = zip(rows(inputs[0]), inputs[1].values).map { x, label in
        x.indices.contains(Int(label)) ? -logSoftmax(x)[Int(label)] : .nan
    }
    return [TestTensor(.f32, inputs[0].shape.dropLast(), losses)]
}

private func sparseGradient(_ inputs: [TestTensor]) -> [TestTensor] {
    let labels = inputs[1].values, dloss = inputs[2].values
    let values = rows(inputs[0]).enumerated().flatMap { row, x in
        softmax(x).enumerated().map { k, q in
            x.indices.contains(Int(labels[row])) ? (q - (k == Int(labels[row]) ? 1 : 0)) * dloss[row] : 0
        }
    }
    return [TestTensor(.f32, inputs[0].shape, values)]
}

private func denseLoss(_ inputs: [TestTensor]) -> [TestTensor] {
    let losses = zip(rows(inputs[0]), rows(inputs[1])).map { x, t in
        zip(logSoftmax(x), t).reduce(0) { $1.1 == 0 ? $0 : $0 - $1.0 * $1.1 }
    }
    return [TestTensor(.f32, inputs[0].shape.dropLast(), losses)]
}

private func denseGradient(_ inputs: [TestTensor]) -> [TestTensor] {
    let targets = rows(inputs[1]), dloss = inputs[2].values
    let values = rows(inputs[0]).enumerated().flatMap { row, x in
        zip(softmax(x), targets[row]).map { ($0 * targets[row].reduce(0, +) - $1) * dloss[row] }
    }
    return [TestTensor(.f32, inputs[0].shape, values)]
}

let crossEntropyCases: [OperatorCase] = [[1], [10], [3, 7], [5, 16], [2, 3, 17], [4, 1], [9, 1030], [0, 3]].flatMap {
    (shape: [Int]) -> [OperatorCase] in
    let outer = Array(shape.dropLast()), width = shape.last!
    let logits = TestInput.real(shape, -5...5), dloss = TestInput.real(outer)
    let labels = TestInput.integers(outer, 0...width - 1, .i32), targets = TestInput.real(shape, 0...1)
    let small = shape.reduce(1, *) < 150
    return [
        OperatorCase(
            "SparseSoftmaxCrossEntropy \(shape)", SparseSoftmaxCrossEntropy(), [logits, labels],
            gradients: small ? [0] : [], tolerance: 2e-6, reference: sparseLoss),
        OperatorCase(
            "SparseSoftmaxCrossEntropyGradient \(shape)", SparseSoftmaxCrossEntropyGradient(), [logits, labels, dloss],
            tolerance: 1e-6, reference: sparseGradient),
        OperatorCase(
            "SoftmaxCrossEntropy \(shape)", SoftmaxCrossEntropy(), [logits, targets], gradients: small ? [0, 1] : [],
            tolerance: 2e-6, reference: denseLoss),
        OperatorCase(
            "SoftmaxCrossEntropyGradient \(shape)", SoftmaxCrossEntropyGradient(), [logits, targets, dloss],
            tolerance: 5e-6, reference: denseGradient),
    ]
} + [
    OperatorCase(
        "SparseSoftmaxCrossEntropy, labels out of range", SparseSoftmaxCrossEntropy(),
        [.real([6, 3]), .values(TestTensor(.i32, [6], [-1, 3, 2, 2_147_483_647, -2_147_483_648, 0]))],
        reference: sparseLoss),
    OperatorCase(
        "SparseSoftmaxCrossEntropyGradient, labels out of range", SparseSoftmaxCrossEntropyGradient(),
        [.real([6, 3]), .values(TestTensor(.i32, [6], [-1, 3, 2, 2_147_483_647, -2_147_483_648, 0])), .real([6])],
        reference: sparseGradient),
    OperatorCase(
        "SoftmaxCrossEntropy of an impossible class", SoftmaxCrossEntropy(),
        [.floats([2, 3], [-.infinity, 0, 1, 1000, -1000, 999]), .floats([2, 3], [0, 0.5, 0.5, 0.25, 0.5, 0.25])],
        reference: denseLoss),
]
