import Foundation
import XCTest

import class ApusGraph.Graph
import class ApusGraph.GraphBuilder
import struct ApusGraph.TensorType
import class ApusRuntime.Model
@testable import Apus

/// Losses against numbers computed with NumPy from Keras' formulas, and their gradients against differences.
final class LossesTests: XCTestCase {
    private let probabilities = TestTensor(.f64, [2, 3], [0.1, 0.7, 0.2, 0.5, 0.25, 0.25])
    private let scaled = TestTensor(.f64, [2, 3], [0.2, 1.4, 0.4, 1, 0.5, 0.5])
    private let distributions = TestTensor(.f64, [2, 3], [0, 1, 0, 0.2, 0.3, 0.5])
    private let logits = TestTensor(.f64, [2, 3], [-2, 0.5, 3, 40, -30, 0])
    private let binary = TestTensor(.f64, [2, 3], [0, 1, 1, 1, 0, 1])
    private let labels = TestTensor(.i32, [2], [2, 0])

    private func check(
        _ loss: any Loss, _ prediction: TestTensor, _ target: TestTensor, _ wanted: Double, line: UInt = #line
    ) throws {
        XCTAssertEqual(try loss.targetType(for: prediction.type).shape, target.type.shape, line: line)
        for dtype in [prediction.dtype, .f32] {
            let graph = Graph(loss.name)
            let builder = GraphBuilder(graph, function: "loss")
            let prediction = prediction.converted(to: dtype)
            let target = target.dtype == .i32 ? target : target.converted(to: dtype)
            let y = try builder.input("x0", prediction.type), t = try builder.input("x1", target.type)
            let value = try loss.value(y, t, builder)
            XCTAssertEqual(value.type, TensorType(dtype, []), line: line)
            let gradient = try XCTUnwrap(try Backward.gradients(of: value, for: [y], in: builder)[0], line: line)
            builder.output("y0", value)
            builder.output("y1", gradient)
            builder.finish()
            let model = try Model(graph)
            func run(_ prediction: TestTensor) throws -> [TestTensor] {
                try OperatorRun.run(model, [prediction, target], isa: .init(rawValue: 0))
            }
            let found = try run(prediction)
            let tolerance = (dtype == .f32 ? 1e-6 : 1e-12) * max(1, wanted)
            XCTAssertEqual(found[0].values[0], wanted, accuracy: tolerance, loss.name, line: line)
            guard dtype != .f32 else { continue }
            for element in prediction.values.indices {
                var up = prediction, down = prediction
                up.values[element] += 1e-6
                down.values[element] -= 1e-6
                let difference = (try run(up)[0].values[0] - run(down)[0].values[0]) / 2e-6
                XCTAssertEqual(
                    found[1].values[element], difference, accuracy: 1e-7 * max(1, abs(difference)),
                    "\(loss.name), element \(element)", line: line)
            }
        }
    }

    func testRegression() throws {
        try check(MSE(), probabilities, distributions, 0.04916666666666667)
        try check(MAE(), probabilities, distributions, 0.20000000000000004)
        let y = TestTensor(.f64, [2, 3], [0.5, -2, 3, 0.125, 1, -0.25])
        let t = TestTensor(.f64, [2, 3], [0, 0, 0.5, 0.0625, -1, 0])
        try check(Huber(delta: 1.5), y, t, 1.0885416666666667 + 0.0625 * 0.0625 / 12)
    }

    func testBinaryCrossEntropy() throws {
        try check(BinaryCrossEntropy(), probabilities, binary, 0.7397661643603793)
        try check(BinaryCrossEntropy(labelSmoothing: 0.2), probabilities, binary, 0.7674032989704381)
        try check(BinaryCrossEntropy(fromLogits: true), logits, binary, 0.22378992122614336)
        try check(BinaryCrossEntropy(fromLogits: true, labelSmoothing: 0.2), logits, binary, 1.482123254559477)
    }

    /// Against PyTorch's `pos_weight`.
    func testPositiveWeights() throws {
        let each: [Float] = [2, 0.5, 3]
        try check(BinaryCrossEntropy(fromLogits: true, positiveWeights: each), logits, binary, 0.4315283499223634)
        try check(BinaryCrossEntropy(fromLogits: true, positiveWeights: [4]), logits, binary, 0.8316956793830402)
        try check(BinaryCrossEntropy(positiveWeights: each), probabilities, binary, 1.824145206976806)
        try check(
            BinaryCrossEntropy(fromLogits: true, labelSmoothing: 0.2, positiveWeights: each), logits, binary, 1.454536640570123)
        for weights in [[1, 2], [-1], [.nan, 1, 1]] as [[Float]] {
            XCTAssertThrowsError(try check(BinaryCrossEntropy(positiveWeights: weights), probabilities, binary, 0))
        }
    }

    private func value(_ loss: any Loss, _ prediction: TestTensor, _ target: TestTensor) throws -> Double {
        let graph = Graph(loss.name)
        let builder = GraphBuilder(graph, function: "loss")
        let y = try builder.input("x0", prediction.type), t = try builder.input("x1", target.type)
        builder.output("y0", try loss.value(y, t, builder))
        builder.finish()
        return try OperatorRun.run(try Model(graph), [prediction, target], isa: .init(rawValue: 0))[0].values[0]
    }

    func testProbabilitiesAreClipped() throws {
        // One element of ln 2, and five of −ln(1 − 1e-7).
        let certain = TestTensor(.f64, [2, 3], [0, 1, 0.5, 1, 0, 1])
        XCTAssertEqual(try value(BinaryCrossEntropy(), certain, binary), (log(2) - 5 * log(1 - 1e-7)) / 6, accuracy: 2e-8)
    }

    func testCategoricalCrossEntropy() throws {
        try check(CategoricalCrossEntropy(), scaled, distributions, 0.802169934473317)
        try check(CategoricalCrossEntropy(labelSmoothing: 0.1), scaled, distributions, 0.8508601718954287)
        try check(CategoricalCrossEntropy(fromLogits: true), logits, distributions, 21.792548623182157)
        try check(
            CategoricalCrossEntropy(fromLogits: true, labelSmoothing: 0.1), logits, distributions, 21.575881956515488)
        try check(SparseCategoricalCrossEntropy(), probabilities, labels, 1.1512925464970227)
        try check(SparseCategoricalCrossEntropy(fromLogits: true), logits, labels, 0.04254862318215507)
    }

    /// Against PyTorch's `ignore_index`; a batch of nothing else is 0, where PyTorch gives NaN.
    func testIgnoredLabels() throws {
        let logits = TestTensor(.f64, [4, 3], [-2, 0.5, 3, 40, -30, 0, 0.3, 0.2, -0.1, 1, 2, 3])
        func loss(_ index: Int32, weights: [Float] = [], smoothing: Double = 0) -> SparseCategoricalCrossEntropy {
            SparseCategoricalCrossEntropy(fromLogits: true, classWeights: weights, labelSmoothing: smoothing, ignoreIndex: index)
        }
        let padded = TestTensor(.i32, [4], [2, -100, 0, -100])
        try check(loss(-100), logits, padded, 0.515503964853062)
        let single = logits.converted(to: .f32)
        XCTAssertEqual(try value(loss(-100, smoothing: 0.1), single, padded), 0.6488372981863955, accuracy: 1e-6)
        XCTAssertEqual(try value(loss(-100, weights: [0.5, 1, 3]), single, padded), 0.36412354038191874, accuracy: 1e-6)
        try check(loss(1), logits, TestTensor(.i32, [4], [2, 1, 0, 1]), 0.515503964853062)
        try check(loss(-100), logits, TestTensor(.i32, [4], [-100, -100, -100, -100]), 0)
        try check(SparseCategoricalCrossEntropy(ignoreIndex: -1), probabilities, TestTensor(.i32, [2], [-1, 0]), 0.6931471805599453)
        let type = TensorType(.f32, [4, 3])
        XCTAssertNoThrow(try loss(-100).check(Tensor([2, -100, 0, 1] as [Int32]), for: type, samples: [7, 8, 9, 10]))
        XCTAssertFails(.invalidArgument, "label 3 of sample 8, wanted 0 ... 2") {
            try loss(-100).check(Tensor([2, 3, 0, -100] as [Int32]), for: type, samples: [7, 8, 9, 10])
        }
    }

    func testDivergence() throws { try check(KLDivergence(), probabilities, distributions, 0.2873420112326154) }

    func testMistakesAreErrors() throws {
        let vector = TensorType(.f32, [4])
        XCTAssertThrowsError(try CategoricalCrossEntropy().targetType(for: vector))
        XCTAssertThrowsError(try SparseCategoricalCrossEntropy().targetType(for: vector))
        XCTAssertThrowsError(try check(Huber(delta: 0), probabilities, distributions, 0))
        XCTAssertThrowsError(try check(BinaryCrossEntropy(labelSmoothing: 2), probabilities, binary, 0))
    }
}
