import XCTest

import struct ApusGraph.ApusError
@testable import Apus

/// The families of the library have the names and shapes that PyTorch's checkpoints of them have.
final class ModelLibraryTests: XCTestCase {
    private func shapes(_ network: Network) -> [String: [Int]] {
        Dictionary(uniqueKeysWithValues: network.parameters.all.map { ($0.name, $0.value.shape) })
    }

    func testResNets() throws {
        // Trained tensors of torchvision: 62, 110, 161. A quarter of a quarter of the channels keeps the test short.
        for (layers, tensors, last) in [(18, 62, 32), (34, 110, 32), (50, 161, 128)] {
            let network = try ModelLibrary.resnet(layers, input: [32, 32, 3], classes: 7, width: 4)
            XCTAssertEqual(network.parameters.all.filter { $0.isTrainable }.count, tensors, "\(layers)")
            let found = shapes(network)
            XCTAssertEqual(found["conv1/kernel"], [7, 7, 3, 4])
            XCTAssertEqual(found["fc/kernel"], [last, 7])
            XCTAssertEqual(found["layer2.0.downsample.0/kernel"], [1, 1, layers == 50 ? 16 : 4, layers == 50 ? 32 : 8])
            XCTAssertEqual(found["layer4.0.bn1/moving_mean"], [32])
            XCTAssertEqual(try network.outputShape(), [7])
        }
        XCTAssertThrowsError(try ModelLibrary.resnet(51)) {
            XCTAssertEqual(($0 as? ApusError)?.message, "a ResNet of 51 layers, wanted 18, 34 or 50")
        }
    }

    func testVGGs() throws {
        for (layers, places) in [(11, [0, 3, 6, 8, 11, 13, 16, 18]), (16, [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28])] {
            let network = try ModelLibrary.vgg(layers, input: [64, 64, 3], classes: 5, width: 4, units: 16)
            let found = shapes(network)
            XCTAssertEqual(
                found.keys.filter { $0.hasPrefix("features.") && $0.hasSuffix("/kernel") }.sorted(),
                places.map { "features.\($0)/kernel" }.sorted())
            XCTAssertEqual(found["features.0/kernel"], [3, 3, 3, 4])
            XCTAssertEqual(found["classifier.0/kernel"], [2 * 2 * 32, 16])
            XCTAssertEqual(found["classifier.6/kernel"], [16, 5])
        }
    }

    /// Parameters of the published sizes, by the shapes alone.
    func testSizeOfGPT2() throws {
        let network = try ModelLibrary.gpt(vocabulary: 50, context: 8, width: 12, heads: 3, layers: 2)
        // 12·w² + 13·w a block, 2·w of the last norm, and the two tables.
        XCTAssertEqual(network.parameterCount, 2 * (12 * 144 + 13 * 12) + 2 * 12 + (50 + 8) * 12)
    }
}
