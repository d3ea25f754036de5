import ApusGraph
import Foundation

private func product(_ x: TestTensor, _ w: TestTensor) -> TestTensor {
    let k = w.shape[0], n = w.shape[1], rows = x.count / k
    return TestTensor.make(.f32, [rows, n]) { i in
        (0..<k).reduce(0) { $0 + x.values[i[0] * k + $1] * w.values[$1 * n + i[1]] }
    }
}

private func dense(_ inputs: [TestTensor], activation: (Double) -> Double = { $0 }) -> [TestTensor] {
    let n = inputs[1].shape[1]
    var y = product(inputs[0], inputs[1])
    for i in y.values.indices {
        if inputs.count > 2 { y.values[i] += inputs[2].values[i % n] }
        if inputs.count > 3 { y.values[i] += inputs[3].values[i] }
    }
    return [TestTensor(.f32, inputs[0].shape.dropLast() + [n], y.values.map(activation))]
}

let denseCases: [OperatorCase] = [
    OperatorCase("Dense 1×1", Dense(), [.real([1, 1]), .real([1, 1]), .real([1])], gradients: [0, 1, 2]) { dense($0) },
    OperatorCase("Dense 5×7→3", Dense(), [.real([5, 7]), .real([7, 3]), .real([3])], gradients: [0, 1, 2]) {
        dense($0)
    },
    OperatorCase("Dense without bias", Dense(hasBias: false), [.real([2, 3, 5]), .real([5, 18])], gradients: [0, 1]) {
        dense($0)
    },
    OperatorCase(
        "Dense with residual", Dense(hasResidual: true),
        [.real([4, 9]), .real([9, 17]), .real([17]), .real([4, 17])], gradients: [0, 1, 2, 3]
    ) { dense($0) },
    OperatorCase(
        "Dense + ReLU, 33×100→40", Dense(activation: .relu), [.real([33, 100]), .real([100, 40]), .real([40])],
        tolerance: 1e-4
    ) { dense($0) { max($0, 0) } },
    OperatorCase(
        "Dense + Sigmoid", Dense(activation: .sigmoid), [.real([3, 11]), .real([11, 70]), .real([70])]
    ) { dense($0) { 1 / (1 + exp(-$0)) } },
    OperatorCase(
        "Dense of bands of rows and of columns, 250×20→200", Dense(hasBias: false), [.real([250, 20]), .real([20, 200])],
        tolerance: 1e-4
    ) { dense($0) },
    OperatorCase(
        "DenseWeightGradient", DenseWeightGradient(), [.real([2, 3, 5]), .real([2, 3, 19])]
    ) { inputs in
        [
            TestTensor.make(.f32, [5, 19]) { i in
                (0..<6).reduce(0) { $0 + inputs[0].values[$1 * 5 + i[0]] * inputs[1].values[$1 * 19 + i[1]] }
            }
        ]
    },
]
