import ApusGraph
import Foundation

private let epsilon: Float = 0.01, momentum: Float = 0.9

private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

private func inverseDeviation(_ values: [Double]) -> Double {
    let m = mean(values)
    return 1 / (mean(values.map { ($0 - m) * ($0 - m) }) + Double(epsilon)).squareRoot()
}

/// The values of channel c, for channels last.
private func channel(_ x: TestTensor, _ c: Int) -> [Double] {
    let channels = x.shape[x.shape.count - 1]
    return stride(from: c, to: x.count, by: channels).map { x.values[$0] }
}

private func batchNorm(_ inputs: [TestTensor]) -> [TestTensor] {
    TestTensor.perChannel(inputs[0]) { x, c in
        let s = 1 / (inputs[4].values[c] + Double(epsilon)).squareRoot()
        return (x - inputs[3].values[c]) * s * inputs[1].values[c] + inputs[2].values[c]
    }
}

/// A residual, if there is one, follows the five operands.
private func batchNormTraining(_ inputs: [TestTensor], relu: Bool = false) -> [TestTensor] {
    let x = inputs[0], c = inputs[1].count, keep = Double(momentum)
    let m = TestTensor.make(.f32, [c]) { mean(channel(x, $0[0])) }
    let s = TestTensor.make(.f32, [c]) { inverseDeviation(channel(x, $0[0])) }
    var y = TestTensor.perChannel(x) { x, c in
        (x - m.values[c]) * s.values[c] * inputs[1].values[c] + inputs[2].values[c]
    }
    if inputs.count > 5 { for i in y[0].values.indices { y[0].values[i] += inputs[5].values[i] } }
    if relu { y[0] = y[0].map { max(0, $0) } }
    let movingMean = TestTensor.make(.f32, [c]) { keep * inputs[3][$0] + (1 - keep) * m[$0] }
    let movingVariance = TestTensor.make(.f32, [c]) { i in
        let variance = 1 / (s[i] * s[i]) - Double(epsilon)
        return keep * inputs[4][i] + (1 - keep) * variance
    }
    return y + [movingMean, movingVariance, m, s]
}

extension TestTensor {
    fileprivate static func perChannel(_ x: TestTensor, _ body: (Double, Int) -> Double) -> [TestTensor] {
        let channels = x.shape[x.shape.count - 1]
        return [TestTensor(x.dtype, x.shape, x.values.indices.map { body(x.values[$0], $0 % channels) })]
    }
}

private func batchNormInputs(_ shape: [Int]) -> [TestInput] {
    let c = [shape[shape.count - 1]]
    return [.real(shape), .real(c), .real(c), .real(c), .real(c, 0.1...2)]
}

/// dx, dgamma, dbeta from the definition, as sums over all pairs of rows.
private func batchNormGradient(_ inputs: [TestTensor]) -> [TestTensor] {
    let x = inputs[0], gamma = inputs[1], m = inputs[2], s = inputs[3]
    var dy = inputs[4]
    if inputs.count > 5 { for i in dy.values.indices where !(inputs[5].values[i] > 0) { dy.values[i] = 0 } }
    let rows = Double(x.count / gamma.count)
    let n = TestTensor.perChannel(x) { ($0 - m.values[$1]) * s.values[$1] }[0]
    let dgamma = TestTensor.make(.f32, gamma.shape) { c in
        zip(channel(dy, c[0]), channel(n, c[0])).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let dbeta = TestTensor.make(.f32, gamma.shape) { c in channel(dy, c[0]).reduce(0, +) }
    let dx = x.values.indices.map { i in
        let c = i % gamma.count
        return gamma.values[c] * s.values[c]
            * (dy.values[i] - dbeta.values[c] / rows - n.values[i] * dgamma.values[c] / rows)
    }
    return [TestTensor(.f32, x.shape, dx), dgamma, dbeta]
}

/// Rows over the last axis.
private func rmsNorm(_ inputs: [TestTensor]) -> [TestTensor] {
    let x = inputs[0], gamma = inputs[1], width = gamma.count
    let scales = (0..<x.count / width).map { row in
        1 / (mean((0..<width).map { pow(x.values[row * width + $0], 2) }) + Double(epsilon)).squareRoot()
    }
    let y = x.values.indices.map { x.values[$0] * scales[$0 / width] * gamma.values[$0 % width] }
    return [
        TestTensor(.f32, x.shape, y), TestTensor(.f32, Array(x.shape.dropLast(gamma.shape.count)), scales),
    ]
}

private func rmsNormGradient(_ inputs: [TestTensor]) -> [TestTensor] {
    let x = inputs[0], gamma = inputs[1], s = inputs[2], dy = inputs[3], width = gamma.count
    let n = x.values.indices.map { x.values[$0] * s.values[$0 / width] }
    let h = x.values.indices.map { dy.values[$0] * gamma.values[$0 % width] }
    let means = (0..<s.count).map { row in mean((0..<width).map { h[row * width + $0] * n[row * width + $0] }) }
    let dgamma = TestTensor.make(.f32, gamma.shape) { c in
        stride(from: c[0], to: x.count, by: width).reduce(0) { $0 + dy.values[$1] * n[$1] }
    }
    let dx = x.values.indices.map { s.values[$0 / width] * (h[$0] - n[$0] * means[$0 / width]) }
    return [TestTensor(.f32, x.shape, dx), dgamma]
}

let rmsNormCases: [OperatorCase] =
    [([3, 5], [5]), ([2, 3, 40], [40]), ([2, 3, 7], [3, 7]), ([70, 131], [131]), ([0, 4], [4])].map { shape, row in
        OperatorCase(
            "RmsNorm \(shape) over \(row)", RmsNorm(axes: row.count, epsilon: epsilon), [.real(shape), .real(row)],
            gradients: shape[0] > 0 && row.last! < 100 ? [0, 1] : [], through: [0], tolerance: 2e-5
        ) { rmsNorm($0) }
    } + [
        OperatorCase(
            "RmsNormGradient", RmsNormGradient(), [.real([3, 2, 37]), .real([37]), .real([3, 2], 0.5...2), .real([3, 2, 37])],
            tolerance: 1e-4
        ) { rmsNormGradient($0) }
    ]

let batchNormCases: [OperatorCase] =
    [[6, 3], [2, 4, 3, 5], [3, 7, 40], [1, 1]].flatMap { shape in
        [
            OperatorCase(
                "BatchNorm \(shape)", BatchNorm(epsilon: epsilon), batchNormInputs(shape),
                gradients: shape.last! < 40 ? [0, 1, 2] : []
            ) { batchNorm($0) },
            OperatorCase(
                "BatchNormTraining \(shape)", BatchNormTraining(epsilon: epsilon, momentum: momentum),
                batchNormInputs(shape), gradients: shape.last! < 40 ? [0, 1, 2] : [], through: [0], tolerance: 2e-5
            ) { batchNormTraining($0) },
        ]
    } + [
        OperatorCase("BatchNorm of nothing", BatchNorm(epsilon: epsilon), batchNormInputs([0, 3])) { batchNorm($0) },
        // A mean a thousand deviations away must not cost the deviations.
        OperatorCase(
            "BatchNormTraining far from zero", BatchNormTraining(epsilon: epsilon, momentum: momentum),
            [.real([50, 3], 999...1001), .real([3]), .real([3]), .real([3]), .real([3], 0.1...2)], tolerance: 1e-3
        ) { batchNormTraining($0) },
        OperatorCase(
            "BatchNormGradient", BatchNormGradient(),
            [.real([4, 3, 21]), .real([21]), .real([21]), .real([21], 0.5...2), .real([4, 3, 21])], tolerance: 1e-4
        ) { batchNormGradient($0) },
        OperatorCase(
            "BatchNormGradient through ReLU", BatchNormGradient(),
            [.real([3, 50, 35]), .real([35]), .real([35]), .real([35], 0.5...2), .real([3, 50, 35]), .real([3, 50, 35])],
            tolerance: 1e-4
        ) { batchNormGradient($0) },
        // Several chunks of pixels, the last one odd; two, four and one vectors of channels beside a cut one.
        OperatorCase(
            "BatchNormTraining of many pixels", BatchNormTraining(epsilon: epsilon, momentum: momentum),
            batchNormInputs([7, 43, 70]), tolerance: 2e-5
        ) { batchNormTraining($0) },
        OperatorCase(
            "BatchNormGradient of many pixels", BatchNormGradient(),
            [.real([301, 23]), .real([23]), .real([23]), .real([23], 0.5...2), .real([301, 23])], tolerance: 1e-4
        ) { batchNormGradient($0) },
    ] + [false, true].map { hasResidual in
        let shape = [4, 3, 5]
        return OperatorCase(
            "BatchNormTraining with ReLU\(hasResidual ? " and a residual" : "")",
            BatchNormTraining(epsilon: epsilon, momentum: momentum, hasResidual: hasResidual, activation: .relu),
            batchNormInputs(shape) + (hasResidual ? [.real(shape, -0.5...0.5)] : []),
            gradients: [0, 1, 2] + (hasResidual ? [5] : []), through: [0], tolerance: 2e-5
        ) { batchNormTraining($0, relu: true) }
    }

private func rows(_ x: TestTensor, _ width: Int) -> [[Double]] {
    stride(from: 0, to: x.count, by: width).map { [Double](x.values[$0..<$0 + width]) }
}

private func layerNorm(_ inputs: [TestTensor]) -> [TestTensor] {
    let x = inputs[0], gamma = inputs[1].values, beta = inputs[2].values
    let rows = rows(x, gamma.count)
    let m = rows.map(mean), s = rows.map(inverseDeviation)
    let y = x.values.indices.map { i in
        let r = i / gamma.count, c = i % gamma.count
        return (x.values[i] - m[r]) * s[r] * gamma[c] + beta[c]
    }
    let leading = [Int](x.shape.dropLast(inputs[1].shape.count))
    return [TestTensor(.f32, x.shape, y), TestTensor(.f32, leading, m), TestTensor(.f32, leading, s)]
}

private func layerNormGradient(_ inputs: [TestTensor]) -> [TestTensor] {
    let gamma = inputs[1], width = gamma.count
    let x = rows(inputs[0], width), dy = rows(inputs[4], width)
    var dx: [Double] = [], dgamma = gamma.map { _ in 0 }, dbeta = dgamma
    for r in x.indices {
        let s = inputs[3].values[r]
        let n = x[r].map { ($0 - inputs[2].values[r]) * s }
        let h = zip(dy[r], gamma.values).map { $0 * $1 }
        let hn = zip(h, n).map { $0 * $1 }
        for c in 0..<width {
            dx.append(s * (h[c] - mean(h) - n[c] * mean(hn)))
            dgamma.values[c] += dy[r][c] * n[c]
            dbeta.values[c] += dy[r][c]
        }
    }
    return [TestTensor(.f32, inputs[0].shape, dx), dgamma, dbeta]
}

let layerNormCases: [OperatorCase] =
    [([4, 6], 1), ([2, 3, 5], 1), ([2, 3, 5], 2), ([2, 3], 2), ([3, 100], 1), ([5, 1], 1)].map { shape, axes in
        let row = [Int](shape.suffix(axes))
        return OperatorCase(
            "LayerNorm \(shape), last \(axes)", LayerNorm(axes: axes, epsilon: epsilon),
            [.real(shape), .real(row), .real(row)], gradients: row.last! < 100 ? [0, 1, 2] : [], through: [0],
            tolerance: 2e-5
        ) { layerNorm($0) }
    } + [
        OperatorCase(
            "LayerNorm of no rows", LayerNorm(epsilon: epsilon), [.real([0, 4]), .real([4]), .real([4])]
        ) { layerNorm($0) },
        OperatorCase(
            "LayerNormGradient", LayerNormGradient(),
            [.real([3, 2, 37]), .real([37]), .real([3, 2]), .real([3, 2], 0.5...2), .real([3, 2, 37])],
            tolerance: 1e-4
        ) { layerNormGradient($0) },
    ]
