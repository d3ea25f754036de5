import XCTest

@testable import Apus

/// Shapes and parameter counts are those that Keras gives.
final class LayersShapeTests: XCTestCase {
    private func check(
        _ input: [Int], _ layer: Layer, _ shape: [Int], parameters: Int = 0, trained: Int? = nil, line: UInt = #line
    ) throws {
        let network = try Sequential(input: input) { layer }
        XCTAssertEqual(try network.outputShape(), shape, layer.kind, line: line)
        XCTAssertEqual(network.parameterCount, parameters, layer.kind, line: line)
        XCTAssertEqual(network.trainedCount, trained ?? parameters, layer.kind, line: line)
    }

    func testDense() throws {
        try check([20], Dense(10), [10], parameters: 210)
        try check([20], Dense(10, usesBias: false), [10], parameters: 200)
        try check([7, 20], Dense(10), [7, 10], parameters: 210)
    }

    func testConvolutions() throws {
        try check([10, 12, 3], Conv2D(8, kernel: 3), [8, 10, 8], parameters: 224)
        try check([11, 11, 3], Conv2D(4, kernel: 3, stride: 2, padding: .same), [6, 6, 4], parameters: 112)
        try check([10, 10, 2], Conv2D(1, kernel: 3, dilation: 2), [6, 6, 1], parameters: 19)
        try check([8, 8, 4], Conv2D(6, kernel: 3, groups: 2), [6, 6, 6], parameters: 114)
        try check(
            [8, 8, 1], Conv2D(2, kernel: .init(3, 5), padding: .explicit(top: 1, left: 0, bottom: 0, right: 2)),
            [7, 6, 2], parameters: 32)
        try check([8, 8, 3], DepthwiseConv2D(kernel: 3, multiplier: 2), [6, 6, 6], parameters: 60)
        try check([8, 8, 3], DepthwiseConv2D(kernel: 3, stride: 2, padding: .same), [4, 4, 3], parameters: 30)
        try check([5, 5, 2], Conv2DTranspose(4, kernel: 3, stride: 2), [11, 11, 4], parameters: 76)
        try check([5, 5, 2], Conv2DTranspose(4, kernel: 3, stride: 2, padding: .same), [10, 10, 4], parameters: 76)
        try check([5, 5, 2], Conv2DTranspose(4, kernel: 2, stride: 3), [15, 15, 4], parameters: 36)
    }

    func testPools() throws {
        try check([7, 7, 3], MaxPool2D(2), [3, 3, 3])
        try check([7, 7, 3], MaxPool2D(2, padding: .same), [4, 4, 3])
        try check([7, 7, 3], AvgPool2D(3, stride: 2), [3, 3, 3])
        try check([7, 7, 3], GlobalAvgPool2D(), [3])
        try check([7, 7, 3], GlobalMaxPool2D(), [3])
    }

    func testNormalizations() throws {
        try check([4, 4, 3], BatchNorm(), [4, 4, 3], parameters: 12, trained: 6)
        try check([5], BatchNorm(), [5], parameters: 20, trained: 10)
        try check([4, 3], LayerNorm(), [4, 3], parameters: 6)
        try check([4, 3], LayerNorm(axes: 2), [4, 3], parameters: 24)
    }

    func testMovements() throws {
        try check([4, 4, 3], Flatten(), [48])
        try check([4, 6], Reshape([3, -1]), [3, 8])
        try check([4, 6, 2], Permute(3, 1, 2), [2, 4, 6])
        try check([4, 6, 2], ZeroPadding2D(1), [6, 8, 2])
        try check([4, 6, 2], ZeroPadding2D(.init(top: 1, right: 3)), [5, 9, 2])
        try check([4, 6, 2], Cropping2D(.init(top: 1, left: 2)), [3, 4, 2])
        try check([4], Dropout(0.5), [4])
    }

    func testLibrary() throws {
        // 320 + 18,496 + 204,928 + 1,290
        let mnist = try ModelLibrary.mnistCNN()
        XCTAssertEqual(mnist.parameterCount, 225_034)
        XCTAssertEqual(try mnist.outputShape(), [10])
        // 896 + 18,496 + 36,928 + 65,600 + 650
        XCTAssertEqual(try ModelLibrary.cifarCNN().parameterCount, 122_570)
        // Convolutions 432 + 6·2,304 + 4,608 + 5·9,216 + 512 + 18,432 + 5·36,864 + 2,048; norms 4·(7·16 + 7·32 + 7·64);
        // dense 650
        let resNet = try ModelLibrary.cifarResNet(depth: 3)
        XCTAssertEqual(resNet.parameterCount, 274_042 + 4 * 32 + 4 * 64 - 4 * 96)
        XCTAssertEqual(try resNet.outputShape(), [10])
        XCTAssertEqual(try ModelLibrary.vggStyle().outputShape(), [10])
        let mlp = try ModelLibrary.mlp(input: 10, hidden: [64, 64], outputs: 1)
        XCTAssertEqual(mlp.parameterCount, 704 + 4160 + 65)
    }

    func testNamesAreAsKerasGivesThem() throws {
        let network = try Sequential(input: [8, 8, 1]) {
            Conv2D(2, kernel: 3)
            Conv2D(2, kernel: 3)
            Flatten()
            ActivationLayer(.relu)
            Dense(3, name: "head")
        }
        XCTAssertEqual(network.layers.map { $0.name }, ["input", "conv2d", "conv2d_1", "flatten", "relu", "head"])
        XCTAssertEqual(
            network.parameters.all.map { $0.name },
            ["conv2d/kernel", "conv2d/bias", "conv2d_1/kernel", "conv2d_1/bias", "head/kernel", "head/bias"])
        XCTAssertThrowsError(try Sequential(input: [4]) { [Dense(3, name: "a"), Dense(3, name: "a")] })
    }

    func testALayerCalledTwiceSharesItsWeights() throws {
        let x = Input([4]), shared = Dense(4)
        let network = try Network(inputs: [x], outputs: [shared(shared(x))])
        XCTAssertEqual(network.parameterCount, 20)
        let other = Input([5])
        XCTAssertThrowsError(try Network(inputs: [x, other], outputs: [Add()(shared(x), shared(other))]))
    }

    func testMistakesAreErrors() {
        let mistakes: [(Layer, [Int])] = [
            (Dense(0), [3]), (Conv2D(4, kernel: 3), [8, 3]), (Conv2D(4, kernel: 9), [8, 8, 3]),
            (Conv2D(4, kernel: 0), [8, 8, 3]), (Conv2D(4, kernel: 3, groups: 2), [8, 8, 3]), (Dropout(1), [3]),
            (Reshape([5, -1]), [4]), (Reshape([-1, -1]), [4]), (Reshape([1 << 40, 1 << 40, -1]), [4]), (Permute(1, 1), [3, 4]),
            (Cropping2D(4), [8, 8, 1]),
            (LayerNorm(axes: 3), [4, 4]), (MaxPool2D(3), [2, 2, 1]), (Concat(axis: 0), [4]), (Add(), [4]),
            (DepthwiseConv2D(kernel: 3, multiplier: 0), [8, 8, 3]), (Conv2DTranspose(-1, kernel: 3), [8, 8, 3]),
        ]
        for (layer, input) in mistakes {
            XCTAssertThrowsError(try Sequential(input: input) { layer }, "\(layer.kind) over \(input)") {
                XCTAssertTrue("\($0)".contains("layer '\(layer.name)'"), "\($0)")
            }
        }
    }
}
