import ApusGraph
import XCTest

@testable import Apus

/// The values were computed with scikit-learn 1.9 and NumPy on the same numbers.
final class MetricsTests: XCTestCase {
    private let scores: [Float] = [
        0.09, 0.24, 0.8, 0.58, 0.09, 0.43, 0.48, 0.16, 0.73, 0.11, 0.39, 0.52, 0.43, 0.59, 0.74, 0.96, 0.28, 0.65, 0.7,
        0.29, 0.0, 0.97, 0.3, 0.31, 0.89, 0.59, 0.47, 0.77, 0.03, 0.71, 0.37, 0.09, 0.66, 0.93, 0.21, 0.63, 0.3, 0.74,
        0.72, 0.22, 0.83, 0.66, 0.68, 0.82,
    ]
    private let labels: [Int32] = [2, 1, 2, 2, 1, 2, 1, 0, 2, 2, 2]
    private let binaryScores: [Float] = [0.5, 0.1, 0.7, 0.3, 0.9, 0.3, 0.6, 0.4, 0.6, 0.2, 0.2, 0.7, 0.8]
    private let binaryLabels: [UInt8] = [0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1]

    /// The value over batches of 4 and an uneven last one, checked against that over one batch, and after a reset.
    private func value(
        _ metric: some Metric, _ predictions: Tensor, _ targets: Tensor, line: UInt = #line
    ) throws -> Double {
        var whole = metric
        XCTAssertTrue(whole.value.isNaN, line: line)
        try whole.update(predictions: predictions, targets: targets)
        var parts = metric
        try parts.update(predictions: predictions, targets: targets)
        parts.reset()
        XCTAssertTrue(parts.value.isNaN, line: line)
        for start in stride(from: 0, to: predictions.rowCount, by: 4) {
            let range = start..<min(start + 4, predictions.rowCount)
            try parts.update(predictions: predictions.rows(range), targets: targets.rows(range))
        }
        XCTAssertEqual(parts.value, whole.value, accuracy: 1e-12, line: line)
        return whole.value
    }

    private func classes() throws -> (scores: Tensor, sparse: Tensor, oneHot: Tensor) {
        let oneHot = labels.flatMap { label -> [Float] in (0..<4).map { $0 == Int(label) ? 1 : 0 } }
        return (try Tensor(scores, shape: [11, 4]), try Tensor(labels), try Tensor(oneHot, shape: [11, 4]))
    }

    func testClassMetrics() throws {
        let (scores, sparse, oneHot) = try classes()
        for targets in [sparse, oneHot, try sparse.reshaped([11, 1]), try sparse.converted(to: .f32)] {
            XCTAssertEqual(try value(Accuracy(), scores, targets), 1.0 / 11, accuracy: 1e-12)
            XCTAssertEqual(try value(TopKAccuracy(k: 2), scores, targets), 0.45454545454545453, accuracy: 1e-12)
            XCTAssertEqual(try value(TopKAccuracy(k: 1), scores, targets), 1.0 / 11, accuracy: 1e-12)
            XCTAssertEqual(try value(TopKAccuracy(k: 4), scores, targets), 1)
            XCTAssertEqual(try value(Precision(), scores, targets), 0.08333333333333333, accuracy: 1e-12)
            XCTAssertEqual(try value(Recall(.macro), scores, targets), 0.03571428571428571, accuracy: 1e-12)
            XCTAssertEqual(try value(F1(), scores, targets), 0.05, accuracy: 1e-12)
            XCTAssertEqual(try value(F1(.micro), scores, targets), 0.09090909090909091, accuracy: 1e-12)
            var matrix = ConfusionMatrix()
            XCTAssertEqual(try value(matrix, scores, targets), 1.0 / 11, accuracy: 1e-12)
            try matrix.update(predictions: scores, targets: targets)
            XCTAssertEqual(matrix.counts, [[0, 1, 0, 0], [1, 0, 2, 0], [2, 3, 1, 1], [0, 0, 0, 0]])
            XCTAssertEqual(matrix.description.split(separator: "\n").first, " 0 1 0 0")
        }
    }

    func testIgnoredTargetsAreLeftOut() throws {
        let (scores, _, _) = try classes()
        let targets = try Tensor(labels.enumerated().map { $0.offset % 3 == 0 ? -100 : $0.element })
        let counted = (0..<11).filter { $0 % 3 != 0 }
        let few = try scores.rows(counted), left = try targets.rows(counted)
        XCTAssertEqual(try value(Accuracy().ignoring(index: -100), scores, targets), try value(Accuracy(), few, left))
        XCTAssertEqual(
            try value(Perplexity().ignoring(index: -100), scores, targets), try value(Perplexity(), few, left), accuracy: 1e-12)
        XCTAssertEqual(try value(F1().ignoring(index: -100), scores, targets), try value(F1(), few, left), accuracy: 1e-12)
        var none = Accuracy().ignoring(index: 2).on(output: 1)
        try none.update(predictions: scores, targets: Tensor([Int32](repeating: 2, count: 11)))
        XCTAssertTrue(none.value.isNaN)
        XCTAssertEqual(none.name, "output_1_accuracy")
        XCTAssertEqual(none.name(outputs: ["text", "scores"]), "scores_accuracy")
        XCTAssertEqual(F1().on(output: 1).ignoring(index: 2).name(outputs: ["text", "scores"]), "scores_f1")
        XCTAssertFails(.badShape, "a class for each row") { try none.update(predictions: scores, targets: scores) }
    }

    /// The class 3 is seen as a prediction only, and counts in the mean as it does in scikit-learn.
    func testMacroAveragesTheClassesSeen() throws {
        let wide = try Tensor([0.9, 0.1, 0, 0, 0.2, 0.8, 0, 0] as [Float], shape: [2, 4])
        XCTAssertEqual(try value(F1(), wide, Tensor([0, 1] as [Int32])), 1)
    }

    func testBinaryMetrics() throws {
        let targets = try Tensor(binaryLabels)
        for scores in [try Tensor(binaryScores), try Tensor(binaryScores, shape: [13, 1])] {
            XCTAssertEqual(try value(BinaryAccuracy(), scores, targets), 0.7692307692307693, accuracy: 1e-12)
            XCTAssertEqual(try value(Precision(.binary()), scores, targets), 0.8333333333333334, accuracy: 1e-12)
            XCTAssertEqual(try value(Recall(.binary()), scores, targets), 0.7142857142857143, accuracy: 1e-12)
            XCTAssertEqual(try value(F1(.binary()), scores, targets), 0.7692307692307693, accuracy: 1e-12)
            XCTAssertEqual(try value(AUROC(), scores, targets), 0.7976190476190476, accuracy: 1e-12)
            XCTAssertEqual(try value(Recall(.binary(threshold: 1)), scores, targets), 0)
            XCTAssertEqual(try value(Precision(.binary(threshold: 1)), scores, targets), 0)
        }
    }

    func testAUROC() throws {
        let three = try Tensor((0..<44).filter { $0 % 4 < 3 }.map { scores[$0] }, shape: [11, 3])
        XCTAssertEqual(try value(AUROC(), three, Tensor(labels)), 0.3279761904761905, accuracy: 1e-12)
        let equal = try Tensor([1, 1, 1, 1] as [Float])
        XCTAssertEqual(AUROC.area([1, 1, 1, 1], [true, false, true, false]), 0.5)
        XCTAssertEqual(AUROC.area([1, 2, 3, 4], [false, false, true, true]), 1)
        XCTAssertEqual(AUROC.area([1, 2, 3, 4], [true, true, false, false]), 0)
        XCTAssertTrue(AUROC.area([1, .nan], [true, false]).isNaN)
        var none = AUROC()
        try none.update(predictions: equal, targets: Tensor([1, 1, 1, 1] as [Int32]))
        XCTAssertTrue(none.value.isNaN)
        XCTAssertFails(.badShape, "3 classes") { try none.update(predictions: three, targets: Tensor(self.labels)) }
    }

    /// Several labels a sample: every score counts, and each column is a ranking of its own.
    func testSeveralLabels() throws {
        let scores = try Tensor([0.9, 0.2, 0.6, 0.4, 0.8, 0.1, 0.7, 0.3, 0.2, 0.1, 0.6, 0.9] as [Float], shape: [4, 3])
        let targets = try Tensor([1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0] as [Float], shape: [4, 3])
        XCTAssertEqual(try value(BinaryAccuracy(), scores, targets), 7.0 / 12, accuracy: 1e-12)
        XCTAssertEqual(try value(Precision(.binary()), scores, targets), 3.0 / 6, accuracy: 1e-12)
        XCTAssertEqual(try value(Recall(.binary()), scores, targets), 3.0 / 5, accuracy: 1e-12)
        // 3 of 4 pairs, 3 of 3 and 2 of 4.
        XCTAssertEqual(try value(AUROC(), scores, targets), (0.75 + 1 + 0.5) / 3, accuracy: 1e-12)
        var accuracy = Accuracy()
        XCTAssertFails(.invalidArgument, "2 classes in row 0", "wanted one") {
            try accuracy.update(predictions: scores, targets: targets)
        }
        XCTAssertFails(.invalidArgument, "0 classes in row 1") {
            try accuracy.update(
                predictions: scores.rows(2..<4), targets: Tensor([1, 0, 0, 0, 0, 0] as [Float], shape: [2, 3]))
        }
        // Distributions are no labels: the largest share counts.
        let shares = try Tensor([0.5, 0.5, 0, 0.2, 0.7, 0.1, 0, 0, 1, 0.1, 0.2, 0.7] as [Float], shape: [4, 3])
        XCTAssertEqual(try value(Accuracy(), scores, shares), 0.75)
    }

    func testRegression() throws {
        let u = try Tensor(
            [-2.16, -0.5, 0.33, -0.61, 1.59, -1.19, 0.35, -1.05, 1.41, -0.02, -0.37, -1.72, 1.68, 0.75], shape: [7, 2])
        let v = try Tensor(
            [0.75, 1.14, 0.35, -0.64, -0.8, -0.8, 1.37, -1.46, -0.6, -0.32, 0.22, 0.58, -1.25, -1.73], shape: [7, 2])
        XCTAssertEqual(try value(MeanAbsoluteError(), u, v), 1.387142857142857, accuracy: 1e-12)
        XCTAssertEqual(try value(RootMeanSquaredError(), u, v), 1.7471446092737388, accuracy: 1e-12)
        XCTAssertEqual(try value(MeanSquaredError(), u, v), pow(1.7471446092737388, 2), accuracy: 1e-12)
        XCTAssertEqual(
            try value(MeanAbsoluteError(), Tensor([1, 2] as [Float], shape: [2, 1]), Tensor([0, 5] as [Int64])), 2)
        var metric = MeanAbsoluteError()
        XCTAssertFails(.badShape, "[7, 2]", "[14]") { try metric.update(predictions: u, targets: v.reshaped([14])) }
    }

    func testMeanLossWeighsBySamples() {
        var loss = MeanLoss()
        XCTAssertTrue(loss.value.isNaN)
        loss.update(loss: 1, samples: 32)
        loss.update(loss: 4, samples: 16)
        XCTAssertEqual(loss.value, 2)
    }

    func testNaNScoresAreWrong() throws {
        let scores = try Tensor([.nan, .nan, .nan, 3, 2, .nan] as [Float], shape: [3, 2])
        let targets = try Tensor([0, 1, 0] as [Int32])
        XCTAssertEqual(try value(Accuracy(), scores, targets), 2.0 / 3, accuracy: 1e-12)
        XCTAssertEqual(try value(TopKAccuracy(k: 1), scores, targets), 2.0 / 3, accuracy: 1e-12)
        XCTAssertEqual(try value(BinaryAccuracy(), Tensor([Float.nan, .nan]), Tensor([0, 1] as [Int32])), 0)
    }

    func testRefusesWhatDoesNotFit() throws {
        let (scores, sparse, _) = try classes()
        var accuracy = Accuracy()
        XCTAssertFails(.badShape, "i32 [3]", "f32 [11, 4]") {
            try accuracy.update(predictions: scores, targets: sparse.rows(0..<3))
        }
        XCTAssertFails(.badShape, "[samples, classes]") { try accuracy.update(predictions: sparse, targets: sparse) }
        XCTAssertFails(.invalidArgument, "4", "0 to 3") {
            try accuracy.update(predictions: scores, targets: Tensor(Array(repeating: Int32(4), count: 11)))
        }
        XCTAssertFails(.invalidArgument, "0.5") {
            try accuracy.update(predictions: scores, targets: Tensor(Array(repeating: Float(0.5), count: 11)))
        }
        var binary = BinaryAccuracy()
        XCTAssertFails(.invalidArgument, "2.0", "0 or 1") {
            try binary.update(predictions: Tensor([0.5 as Float]), targets: Tensor([2 as Int32]))
        }
        XCTAssertFails(.badShape, "one score") { try binary.update(predictions: scores, targets: sparse) }
    }

    /// Tokens: predictions [batch, length, classes] and targets [batch, length].
    func testLeadingDimensionsAreSamples() throws {
        let scores = try Tensor([1, 0, 0, 1, 0, 1, 1, 0] as [Float], shape: [2, 2, 2])
        XCTAssertEqual(try value(Accuracy(), scores, Tensor([0, 1, 0, 0] as [Int64], shape: [2, 2])), 0.75)
    }
}
