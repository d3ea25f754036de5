import ApusGraph
import Foundation

/// The new parameter and slots of one element, from (p, g, slots, learning rate, step).
private typealias Update = (_ p: Double, _ g: Double, _ s: [Double], _ lr: Double, _ t: Double) -> [Double]

private func cases(_ name: String, _ op: ParameterUpdate, _ update: @escaping Update) -> [OperatorCase] {
    let slots = op.slots
    let situations: [(DType, [Int], Double)] = [
        (.f32, [1], 1), (.f32, [7], 2), (.f32, [17], 10), (.f32, [3, 1031], 1000), (.f32, [0], 1), (.f64, [9], 3),
    ]
    return situations.map { dtype, shape, step in
        let count = shape.reduce(1, *)
        func tensor(_ phase: Double, _ range: ClosedRange<Double>) -> TestInput {
            .values(
                TestTensor.make(dtype, shape) { index in
                    let place = Double(index.reduce(0) { $0 * 31 + $1 })
                    let unit = (sin(place * 12.9898 + phase) + 1) / 2
                    return dtype.stored(range.lowerBound + unit * (range.upperBound - range.lowerBound))
                })
        }
        let memories = (0..<slots).map { tensor(Double($0) + 3, 0...0.5) }
        let scalars: [TestInput] = [.floats([], [0.01]), .values(TestTensor(.i64, [], [step]))]
        return OperatorCase(
            "\(name) \(dtype.name) \(shape), step \(Int(step))", op,
            [tensor(1, -2...2), tensor(2, -1...1)] + memories + scalars, tolerance: dtype == .f64 ? 1e-12 : 1e-6
        ) { inputs in
            var results = [TestTensor](repeating: inputs[0], count: 1 + slots)
            for i in 0..<count {
                let memory = (0..<slots).map { inputs[2 + $0].values[i] }
                let new = update(
                    inputs[0].values[i], inputs[1].values[i], memory, inputs[2 + slots].values[0], step)
                for (slot, value) in new.enumerated() { results[slot].values[i] = value }
            }
            return results
        }
    }
}

/// As an attribute of the file holds it.
private func f(_ x: Float) -> Double { Double(x) }

private func adam(decay: Double, decoupled: Bool) -> Update {
    { p, g, s, lr, t in
        let g = decoupled ? g : g + decay * p, p = decoupled ? p - p * decay * lr : p
        let m = s[0] + (g - s[0]) * (1 - f(0.9)), v = s[1] + (g * g - s[1]) * (1 - f(0.999))
        let alpha = lr * (1 - pow(f(0.999), t)).squareRoot() / (1 - pow(f(0.9), t))
        return [p - alpha * m / (v.squareRoot() + f(1e-7)), m, v]
    }
}

private func rmsProp(momentum: Double, decay: Double) -> Update {
    { p, g, s, lr, _ in
        let g = g + decay * p
        let v = f(0.9) * s[0] + (1 - f(0.9)) * g * g, d = lr * g / (v + f(1e-7)).squareRoot()
        if momentum == 0 { return [p - d, v] }
        let m = momentum * s[1] + d
        return [p - m, v, m]
    }
}

let optimizerCases: [OperatorCase] = {
    var all = cases("Sgd", Sgd()) { p, g, _, lr, _ in [p - lr * g] }
    all += cases("Sgd with decay", Sgd(weightDecay: 0.125)) { p, g, _, lr, _ in [p - lr * (g + 0.125 * p)] }
    all += cases("Sgd with momentum", Sgd(momentum: 0.9, weightDecay: 0.125)) { p, g, s, lr, _ in
        let v = f(0.9) * s[0] - lr * (g + 0.125 * p)
        return [p + v, v]
    }
    all += cases("Sgd by Nesterov", Sgd(momentum: 0.9, nesterov: true)) { p, g, s, lr, _ in
        let v = f(0.9) * s[0] - lr * g
        return [p + f(0.9) * v - lr * g, v]
    }
    all += cases("RmsProp", RmsProp(), rmsProp(momentum: 0, decay: 0))
    let heavy = RmsProp(momentum: 0.5, weightDecay: 0.25)
    all += cases("RmsProp with momentum", heavy, rmsProp(momentum: 0.5, decay: 0.25))
    all += cases("Adagrad", Adagrad()) { p, g, s, lr, _ in
        let a = s[0] + g * g
        return [p - lr * g / (a + f(1e-7)).squareRoot(), a]
    }
    all += cases("Adagrad with decay", Adagrad(weightDecay: 0.25)) { p, g, s, lr, _ in
        let g = g + 0.25 * p, a = s[0] + g * g
        return [p - lr * g / (a + f(1e-7)).squareRoot(), a]
    }
    all += cases("Adam", Adam(), adam(decay: 0, decoupled: false))
    all += cases("Adam with decay", Adam(weightDecay: 0.125), adam(decay: 0.125, decoupled: false))
    all += cases("AdamW", Adam(weightDecay: 0.125, decoupled: true), adam(decay: 0.125, decoupled: true))
    return all
}()

// MARK: Clipping

private func norm(_ tensors: [TestTensor]) -> [TestTensor] {
    let sum = tensors.flatMap { $0.values }.reduce(0) { $0 + $1 * $1 }
    return [TestTensor(tensors[0].dtype, [], [sum.squareRoot()])]
}

private func clipping(_ norm: Double, _ shape: [Int]) -> OperatorCase {
    OperatorCase(
        "ClipByNorm \(shape) of norm \(norm)", ClipByNorm(maximum: 1.5), [.real(shape), .floats([], [norm])],
        tolerance: 1e-6
    ) { inputs in
        let factor = norm.isFinite ? min(1, 1.5 / norm) : .nan
        return [inputs[0].map { $0 * factor }]
    }
}

let normCases: [OperatorCase] = [
    OperatorCase("GlobalNorm of one", GlobalNorm(), [.real([1])], reference: norm),
    OperatorCase("GlobalNorm of three", GlobalNorm(), [.real([7]), .real([3, 1030]), .real([])], reference: norm),
    OperatorCase("GlobalNorm of nothing", GlobalNorm(), [.real([0])], reference: norm),
    OperatorCase("GlobalNorm of 100,000", GlobalNorm(), [.real([100_000]), .real([17])], reference: norm),
    OperatorCase("GlobalNorm with NaN", GlobalNorm(), [.real([5]), .special], reference: norm),
    OperatorCase(
        "GlobalNorm of f64", GlobalNorm(), [.values(TestTensor(.f64, [3], [1e-3, 2, 1e100]))], tolerance: 1e-12,
        reference: norm),
    clipping(0, [17]), clipping(1.5, [7]), clipping(100, [1]), clipping(100, [2, 1030]), clipping(1e-30, [3]),
    clipping(.infinity, [3]), clipping(.nan, [3]), clipping(4, [0]),
]
