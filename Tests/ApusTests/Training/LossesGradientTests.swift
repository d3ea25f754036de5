import XCTest

@testable import Apus

/// Gradients of whole networks in their training phase, in f64 against central differences.
final class LossesGradientTests: XCTestCase {
    private func tensor(_ shape: [Int], seed: UInt64, _ range: ClosedRange<Double> = -1...1) -> TestTensor {
        var random = TestRandom(seed)
        return TestTensor.make(.f64, shape) { _ in Double.random(in: range, using: &random) }
    }

    private func check(
        _ network: Network, _ loss: any Loss, target: TestTensor, line: UInt = #line
    ) throws {
        let shape = (network.inputs[0].call.layer as! InputLayer).shape
        var double = try DoubleNetwork(
            network, loss, input: tensor([target.shape[0]] + shape, seed: 11), target: target)
        // Away from the zeros that biases start at, so that every path carries a gradient of its own.
        for (i, name) in double.parameterNames.enumerated() where !name.hasSuffix("kernel") {
            let range = name.hasSuffix("moving_variance") || name.hasSuffix("gamma") ? 0.5...1.5 : -0.5...0.5
            double.tensors[i + 2] = tensor(double.tensors[i + 2].shape, seed: UInt64(i), range)
        }
        try double.checkGradients(line: line)
    }

    func testClassifier() throws {
        let network = try Sequential(input: [6, 7, 2], seed: 1) {
            Conv2D(4, kernel: 3, padding: .same, kernelRegularizer: L2(0.1))
            BatchNorm()
            ReLU()
            MaxPool2D(2)
            Conv2D(3, kernel: .init(2, 3), stride: 2, padding: .same, activation: .tanh, kernelRegularizer: L1(0.05))
            Flatten()
            LayerNorm()
            Dense(5, activation: .gelu)
            Dropout(0.4)
            Dense(3)
        }
        try check(network, SparseCategoricalCrossEntropy(fromLogits: true), target: TestTensor(.i32, [4], [0, 2, 1, 1]))
    }

    func testResidualsAndDepthwise() throws {
        let network = try Sequential(input: [5, 5, 2], seed: 2) {
            Conv2D(4, kernel: 3, padding: .same, groups: 2, activation: .silu)
            Residual(activation: .leakyRelu(alpha: 0.2)) {
                DepthwiseConv2D(kernel: 3, stride: 2, padding: .same)
                BatchNorm()
                Softplus()
                Conv2D(6, kernel: 1, usesBias: false, kernelRegularizer: L1L2(l1: 0.02, l2: 0.03))
            } shortcut: {
                AvgPool2D(2, padding: .same)
                Conv2D(6, kernel: 1)
            }
            Conv2DTranspose(2, kernel: 3, stride: 2, activation: .elu(alpha: 1))
            GlobalAvgPool2D()
            Softmax()
        }
        try check(network, CategoricalCrossEntropy(), target: TestTensor(.f64, [3, 2], [1, 0, 0.25, 0.75, 0, 1]))
    }

    func testBranchesAndSharing() throws {
        let x = Input([3]), shared = Dense(3, activation: .tanh)
        let a = shared(x), b = shared(a)
        let merged = Concat()(Multiply()(a, b), Average()(a, b, x), Maximum()(a, b), Minimum()(a, b), Subtract()(a, b))
        let y = Sigmoid()(Dense(2)(Reshape([15])(Permute(2, 1)(Reshape([5, 3])(merged)))))
        let network = try Network(inputs: [x], outputs: [y], seed: 3)
        let target = tensor([4, 2], seed: 5, 0...1)
        let losses: [any Loss] = [MSE(), Huber(delta: 0.3), BinaryCrossEntropy(), BinaryCrossEntropy(labelSmoothing: 0.1)]
        for loss in losses {
            try check(network, loss, target: target)
        }
    }

    func testPaddingAndRescaling() throws {
        let network = try Sequential(input: [4, 4, 1], seed: 4) {
            Rescaling(0.5, offset: 0.1)
            Conv2D(2, kernel: 3, padding: .explicit(top: 0, left: 1, bottom: 2, right: 0), dilation: .init(1, 2))
            ZeroPadding2D(1)
            Cropping2D(.init(top: 1, left: 0, bottom: 0, right: 2))
            HardSwish()
            GlobalMaxPool2D()
            LogSoftmax()
        }
        try check(network, MAE(), target: tensor([3, 2], seed: 6, -4...1))
    }

    func testPenaltiesAreAddedToTheLoss() throws {
        let make = { (regularizer: (any Regularizer)?) throws -> Double in
            let network = try Sequential(input: [2]) { Dense(2, kernelRegularizer: regularizer) }
            try network.set("dense/kernel", [1, -2, 3, 0.5])
            return try DoubleNetwork(
                network, MSE(), input: self.tensor([3, 2], seed: 1), target: self.tensor([3, 2], seed: 2)).loss
        }
        let plain = try make(nil)
        XCTAssertEqual(try make(L1(0.1)) - plain, 0.65, accuracy: 1e-12)
        XCTAssertEqual(try make(L2(0.1)) - plain, 1.425, accuracy: 1e-12)
        XCTAssertEqual(try make(L1L2(l1: 0.1, l2: 0.1)) - plain, 2.075, accuracy: 1e-12)
    }
}
