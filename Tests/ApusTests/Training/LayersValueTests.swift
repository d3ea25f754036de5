import Foundation
import XCTest

@testable import Apus

/// What layers compute in inference, against formulas in Double.
final class LayersValueTests: XCTestCase {
    private func run(
        _ x: [Double], _ shape: [Int], set values: [String: [Double]] = [:], @LayerBuilder _ layers: () -> [Layer]
    ) throws -> [Double] {
        let network = try Sequential(input: Array(shape.dropFirst()), layers: layers)
        for (name, value) in values { try network.set(name, value) }
        return try network.predict(try Tensor(x.map { Float($0) }, shape: shape), threads: 1).doubles()
    }

    private func merge(_ layer: Layer, _ inputs: [[Double]]) throws -> [Double] {
        let tensors = inputs.map { Input([$0.count]) }
        let network = try Network(inputs: tensors, outputs: layer.apply(tensors))
        let rows = try inputs.map { try Tensor($0.map { Float($0) }, shape: [1, $0.count]) }
        return try network.predict(rows)[0].doubles()
    }

    func testActivations() throws {
        let x = [-7, -3.5, -1, -0.25, 0, 0.25, 1, 3.5, 7]
        let cases: [(Layer, (Double) -> Double)] = [
            (ReLU(), { max($0, 0) }), (ReLU6(), { min(max($0, 0), 6) }), (LeakyReLU(), { $0 < 0 ? 0.3 * $0 : $0 }),
            (ELU(alpha: 0.5), { $0 < 0 ? 0.5 * (exp($0) - 1) : $0 }), (Sigmoid(), { 1 / (1 + exp(-$0)) }),
            (Tanh(), { tanh($0) }), (GELU(), { $0 / 2 * (1 + erf($0 / 2.0.squareRoot())) }),
            (
                GELU(approximate: true),
                { $0 / 2 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
            ),
            (SiLU(), { $0 / (1 + exp(-$0)) }), (HardSwish(), { $0 * min(max($0 + 3, 0), 6) / 6 }),
            (Softplus(), { log(1 + exp($0)) }),
        ]
        for (layer, function) in cases {
            assertClose(try run(x, [1, 9]) { layer }, x.map(function), 1e-6, layer.kind)
        }
        let sum = x.reduce(0) { $0 + exp($1) }
        assertClose(try run(x, [1, 9]) { Softmax() }, x.map { exp($0) / sum }, 1e-6, "Softmax")
        assertClose(try run(x, [1, 9]) { LogSoftmax() }, x.map { $0 - log(sum) }, 1e-6, "LogSoftmax")
    }

    func testMerging() throws {
        let a: [Double] = [1, -2, 3], b = [0.5, 4, -3], c: [Double] = [2, 2, 2]
        assertClose(try merge(Add(), [a, b, c]), [3.5, 4, 2])
        assertClose(try merge(Subtract(), [a, b]), [0.5, -6, 6])
        assertClose(try merge(Multiply(), [a, b, c]), [1, -16, -18])
        assertClose(try merge(Maximum(), [a, b, c]), [2, 4, 3])
        assertClose(try merge(Minimum(), [a, b, c]), [0.5, -2, -3])
        assertClose(try merge(Average(), [a, b, c]), [3.5 / 3, 4.0 / 3, 2.0 / 3])
        assertClose(try merge(Concat(), [a, [7], b]), [1, -2, 3, 7, 0.5, 4, -3])
        XCTAssertThrowsError(try merge(Subtract(), [a, b, c]))
    }

    func testResiduals() throws {
        assertClose(try run([1, -2], [1, 2]) { Residual { Rescaling(2) } }, [3, -6])
        let projected = try run([1, -2], [1, 2]) {
            Residual(activation: .relu) {
                Rescaling(2)
            } shortcut: {
                Rescaling(10, offset: 1)
            }
        }
        assertClose(projected, [13, 0])
    }

    func testMovements() throws {
        let x = (0..<12).map { Double($0) }
        assertClose(try run(x, [1, 2, 3, 2]) { Flatten() }, x)
        assertClose(try run(x, [2, 2, 3]) { Permute(2, 1) }, [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11])
        assertClose(
            try run([1, 2, 3, 4], [1, 2, 2, 1]) { ZeroPadding2D(.init(top: 1, right: 1)) }, [0, 0, 0, 1, 2, 0, 3, 4, 0])
        assertClose(try run(x, [1, 3, 4, 1]) { Cropping2D(.init(top: 1, left: 1, right: 2)) }, [5, 9])
        assertClose(try run([0, 51, 255], [1, 3]) { Rescaling(2 / 255, offset: -1) }, [-1, -0.6, 1])
        let bytes = try Sequential(input: [3], dtype: .u8) { Rescaling(2 / 255, offset: -1) }
        assertClose(try bytes.predict(Tensor([0, 51, 255] as [UInt8], shape: [1, 3])).doubles(), [-1, -0.6, 1])
    }

    func testConvolutionsOfChannels() throws {
        let x = (0..<8).map { Double($0) }  // [1, 2, 2, 2]
        let sum = try run(x, [1, 2, 2, 2], set: ["conv2d/kernel": [1, 10], "conv2d/bias": [0.5]]) {
            Conv2D(1, kernel: 1, activation: .relu)
        }
        assertClose(sum, [10.5, 32.5, 54.5, 76.5])
        // Output channel c·multiplier + m is channel c times kernel m of it, as in Keras.
        let depthwise = try run(x, [1, 2, 2, 2], set: ["depthwiseconv2d/kernel": [1, 2, 3, 4]]) {
            DepthwiseConv2D(kernel: 1, multiplier: 2)
        }
        assertClose(depthwise, [0, 0, 3, 4, 2, 4, 9, 12, 4, 8, 15, 20, 6, 12, 21, 28])
        let enlarged = try run([1, 2], [1, 1, 2, 1], set: ["conv2dtranspose/kernel": [1, 10, 100, 1000]]) {
            Conv2DTranspose(1, kernel: 2, stride: 2)
        }
        assertClose(enlarged, [1, 10, 2, 20, 100, 1000, 200, 2000])
    }

    func testPools() throws {
        let x: [Double] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        assertClose(try run(x, [1, 3, 3, 1]) { MaxPool2D(2, stride: 1) }, [5, 6, 8, 9])
        assertClose(try run(x, [1, 3, 3, 1]) { AvgPool2D(2, padding: .same) }, [3, 4.5, 7.5, 9])
        assertClose(try run(x, [1, 3, 3, 1]) { GlobalAvgPool2D() }, [5])
        assertClose(try run(x, [1, 3, 3, 1]) { GlobalMaxPool2D() }, [9])
    }

    func testNormalizations() throws {
        let x: [Double] = [1, 2, 4, -3, 0, 9]
        let batch = try run(
            x, [2, 3],
            set: [
                "batchnorm/gamma": [1, 2, 3], "batchnorm/beta": [0, 0.5, -1], "batchnorm/moving_mean": [1, -1, 2],
                "batchnorm/moving_variance": [4, 1, 0.25],
            ]
        ) { BatchNorm() }
        let gamma: [Double] = [1, 2, 3], beta = [0, 0.5, -1], mean: [Double] = [1, -1, 2], variance = [4, 1, 0.25]
        let normalized = (0..<6).map { (i: Int) -> Double in
            let deviation = (variance[i % 3] + 1e-3).squareRoot()
            return (x[i] - mean[i % 3]) / deviation * gamma[i % 3] + beta[i % 3]
        }
        assertClose(batch, normalized)

        let layer = try run(x, [2, 3], set: ["layernorm/gamma": gamma, "layernorm/beta": beta]) { LayerNorm() }
        var wanted: [Double] = []
        for row in [x[..<3], x[3...]].map({ Array($0) }) {
            let mean = row.reduce(0, +) / 3
            let variance = row.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 3
            let deviation = (variance + 1e-3).squareRoot()
            for i in 0..<3 { wanted.append((row[i] - mean) / deviation * gamma[i] + beta[i]) }
        }
        assertClose(layer, wanted)
    }

    func testBatchNormLearnsItsStatistics() throws {
        let network = try Sequential(input: [2]) {
            BatchNorm(momentum: 0.9)
            Dense(1)
        }
        let still = SGD(learningRate: 0.0)
        let trainer = try Trainer(network, loss: MSE(), optimizer: still, batchSize: 3, threads: 1)
        try trainer.step(try batch([1, 10, 3, 20, 8, 60], [3, 2], [0, 0, 0], [3, 1]))
        try trainer.updateNetwork()
        assertClose(try network.doubles("batchnorm/moving_mean"), [0.4, 3])
        assertClose(try network.doubles("batchnorm/moving_variance"), [0.9 + 0.1 * 26 / 3, 0.9 + 0.1 * 1400 / 3])
    }
}
