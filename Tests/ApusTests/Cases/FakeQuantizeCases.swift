import ApusGraph
import Foundation

/// s and z of a range, in the precision of its tensor.
private func codes(_ range: TestTensor) -> (scale: Double, low: Double, high: Double) {
    let low = min(range.values[0], 0), high = max(range.values[1], 0)
    var scale = max((high - low) / 255, 1e-30)
    if range.dtype == .f32 { scale = Double(Float(scale)) }
    let zero = min(max((-128 - low / scale).rounded(.toNearestOrEven), -128), 127)
    return (scale, -128 - zero, 127 - zero)
}

/// x / s as the kernel divides.
private func units(_ x: Double, _ scale: Double, _ dtype: DType) -> Double {
    dtype == .f32 ? Double(Float(x) / Float(scale)) : x / scale
}

private func rounded(_ inputs: [TestTensor]) -> TestTensor {
    let (scale, low, high) = codes(inputs[1]), dtype = inputs[0].dtype
    return TestTensor(
        dtype, inputs[0].shape,
        inputs[0].values.map { x in
            let v = units(x, scale, dtype), n = (v > low ? min(v, high) : low).rounded(.toNearestOrEven)
            return dtype == .f32 ? Double(Float(scale) * Float(n)) : scale * n
        })
}

/// What the gradient is that of: in the range the error of rounding is held at what it is for `base`, with s of the range;
/// beyond an end it is that end.
private func straightThrough(_ base: [TestTensor]) -> ([TestTensor]) -> [TestTensor] {
    let (scale, low, high) = codes(base[1])
    return { moved in
        let step = (moved[1].values[1] - moved[1].values[0]) / 255
        let values = base[0].values.indices.map { i -> Double in
            let v = base[0].values[i] / scale
            if v < low { return moved[1].values[0] }
            if v > high { return moved[1].values[1] }
            return step * (v.rounded(.toNearestOrEven) - v) + moved[0].values[i]
        }
        return [TestTensor(moved[0].dtype, base[0].shape, values)]
    }
}

private func activations(_ name: String, _ shape: [Int], range: [Double], learned: Bool) -> [OperatorCase] {
    let inputs: [TestInput] = [.real(shape), .values(TestTensor(.f32, [2], range.map { Double(Float($0)) }))]
    return [
        OperatorCase(
            "FakeQuantize \(name)", FakeQuantize(rangeGradientScale: learned ? 1 : 0), inputs,
            gradients: learned ? [0, 1] : [0], tolerance: 0, surrogate: straightThrough
        ) { [rounded($0)] },
        OperatorCase(
            "FakeQuantizeGradient \(name)", FakeQuantizeGradient(rangeGradientScale: learned ? 0.5 : 0),
            inputs + [.real(shape)], tolerance: learned ? 1e-4 : 0
        ) { inputs in
            let (scale, low, high) = codes(inputs[1])
            var dx = inputs[2].values, range = [0.0, 0.0]
            for (i, x) in inputs[0].values.enumerated() {
                let v = units(x, scale, .f32), inner = (v.rounded(.toNearestOrEven) - v) / 255 * dx[i]
                if v < low { range[0] += dx[i] } else if v > high { range[1] += dx[i] } else {
                    range[0] -= inner
                    range[1] += inner
                }
                if v < low || v > high { dx[i] = 0 }
            }
            let gradient = TestTensor(.f32, shape, dx)
            return learned ? [gradient, TestTensor(.f32, [2], range.map { $0 / 2 })] : [gradient]
        },
    ]
}

private func weights(_ name: String, _ shape: [Int], zeroColumn: Bool = false) -> OperatorCase {
    var input = TestInput.real(shape, -0.7...0.7)
    if zeroColumn {
        var random = TestRandom(3)
        var tensor = input.tensor(&random)
        for i in stride(from: 0, to: tensor.count, by: shape.last!) { tensor.values[i] = 0 }
        input = .values(tensor)
    }
    return OperatorCase(
        "FakeQuantizeWeights \(name)", FakeQuantizeWeights(), [input], gradients: [0], tolerance: 0,
        surrogate: { _ in { $0 } }
    ) { inputs in
        let columns = shape.last!
        var most = [Double](repeating: 0, count: columns)
        for (i, w) in inputs[0].values.enumerated() { most[i % columns] = max(most[i % columns], abs(w)) }
        let scales = most.map { $0 > 0 ? Double(Float($0 / 127)) : 1 }
        return [
            TestTensor(
                .f32, shape,
                inputs[0].values.enumerated().map { i, w in
                    Double(Float(scales[i % columns] * min(max((w / scales[i % columns]).rounded(.toNearestOrEven), -127), 127)))
                })
        ]
    }
}

private func observer(_ name: String, _ shape: [Int], old: [Double], momentum: Float = 0.9) -> OperatorCase {
    OperatorCase(
        "ObserveRange \(name)", ObserveRange(momentum: momentum),
        [.real(shape), .values(TestTensor(.f32, [2], old.map { Double(Float($0)) }))], tolerance: 1e-6
    ) { inputs in
        let batch = [min(0, inputs[0].values.min()!), max(0, inputs[0].values.max()!)], old = inputs[1].values
        guard old != [0, 0] else { return [TestTensor(.f32, [2], batch)] }
        return [TestTensor(.f32, [2], zip(old, batch).map { $0 + (1 - Double(momentum)) * ($1 - $0) })]
    }
}

let fakeQuantizeCases: [OperatorCase] =
    activations("both ends", [3, 5, 7], range: [-1.1, 1.7], learned: false)
    + activations("of a ReLU", [2, 4, 4, 9], range: [0, 1.5], learned: false)
    + activations("learned", [2, 33], range: [-1.3, 1.2], learned: true)
    + activations("learned of two blocks", [1100], range: [-2.5, 0.9], learned: true)
    + activations("nothing seen", [5], range: [0, 0], learned: false)
    + [
        weights("of a convolution", [3, 3, 2, 5]), weights("of a dense layer", [7, 37]),
        weights("with a column of zeros", [4, 17], zeroColumn: true),
        observer("first", [3, 50], old: [0, 0]), observer("later", [2, 1100], old: [-1, 3]),
        observer("held", [9], old: [-1, 3], momentum: 1),
    ]
