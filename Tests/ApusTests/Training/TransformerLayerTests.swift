import Foundation
import XCTest

import class ApusGraph.Adam
import struct ApusGraph.ApusError
import class ApusGraph.Graph
import class ApusGraph.GraphBuilder
import class ApusRuntime.Model
@testable import Apus

/// Layers and blocks of transformers: gradients in f64 and what holds of masks. That they are what PyTorch and Keras compute is
/// tested by scripts/test-oracle.sh.
final class TransformerLayerTests: XCTestCase {
    private func tensor(_ shape: [Int], seed: UInt64) -> TestTensor {
        var random = TestRandom(seed)
        return TestTensor.make(.f64, shape) { _ in Double.random(in: -1...1, using: &random) }
    }

    private func checkGradients(_ layers: [Layer], line: UInt = #line) throws {
        let network = try Sequential(input: [5, 6], seed: 1) {
            for layer in layers { layer }
            Flatten()
            Dense(3)
        }
        let target = TestTensor(.i32, [2], [2, 0])
        var double = try DoubleNetwork(
            network, SparseCategoricalCrossEntropy(fromLogits: true), input: tensor([2, 5, 6], seed: 3), target: target)
        for (i, name) in double.parameterNames.enumerated() where !name.hasSuffix("kernel") {
            double.tensors[i + 2] = tensor(double.tensors[i + 2].shape, seed: UInt64(i))
        }
        try double.checkGradients(line: line)
    }

    func testGradients() throws {
        var options = TransformerOptions(width: 6, heads: 2, inner: 8)
        try checkGradients([PositionEmbedding(7), DecoderBlock(options), EncoderBlock(options)])
        options.placement = .after
        options.keyValueHeads = 1
        options.normalization = .rmsNorm
        options.feedForward = .gated(.silu)
        try checkGradients([EncoderBlock(options), SequenceElement(-1)])
    }

    // MARK: Padding

    /// What stands at padding does not matter, and lengths say the same as the mask of them.
    func testPadding() throws {
        let x = Input([4, 6], name: "x"), mask = Input([4], dtype: .bool, name: "mask")
        let lengths = Input([], dtype: .i64, name: "lengths")
        let attention = MultiHeadAttention(heads: 2)
        let network = try Network(inputs: [x, mask, lengths], outputs: [attention(x, mask), attention(x, lengths)])
        let values = (0..<48).map { Float($0 * 29 % 17) / 8 - 1 }
        func run(_ values: [Float]) throws -> [[Double]] {
            let flags = [true, true, true, true, true, true, false, false]
            return try network.predict([
                try Tensor(values, shape: [2, 4, 6]), try Tensor(flags, shape: [2, 4]), try Tensor([Int64(4), 2]),
            ]).map { try $0.doubles() }
        }
        let found = try run(values)
        XCTAssertEqual(found[0], found[1])
        var others = values
        for i in 36..<48 { others[i] = 5 }
        let moved = try run(others)
        XCTAssertEqual(Array(found[0][..<36]), Array(moved[0][..<36]))
        XCTAssertNotEqual(found[0], moved[0])
    }

    /// A sequence that is all padding does not spoil the batch: its values and gradients are finite.
    func testAllPadding() throws {
        for length in [3, 40, 200] {
            let x = Input([length, 8], name: "x"), mask = Input([length], dtype: .i32, name: "mask")
            let network = try Network(inputs: [x, mask], outputs: [MultiHeadAttention(heads: 2)(x, mask)], seed: 2)
            let values = try Tensor((0..<2 * length * 8).map { Float($0 * 29 % 17) / 8 - 1 }, shape: [2, length, 8])
            let flags = try Tensor((0..<2 * length).map { Int32($0 < length ? 1 : 0) }, shape: [2, length])
            XCTAssertTrue(try network.predict([values, flags])[0].doubles().allSatisfy { $0.isFinite })
            let data = try Dataset(
                inputs: [NamedTensor("x", values), NamedTensor("mask", flags)], targets: [NamedTensor("y", values)])
            let trainer = try Trainer(network, loss: MSE(), optimizer: SGD(), batchSize: 2, threads: 1)
            try trainer.fit(data, epochs: 2, callbacks: [NaNStop()])
            XCTAssertFalse(trainer.finiteStates().contains(false))
        }
    }

    func testWhatIsRefused() throws {
        func refuse(_ complaint: String, line: UInt = #line, _ make: (SymbolicTensor) -> [SymbolicTensor]) {
            let x = Input([4, 6], name: "x")
            XCTAssertThrowsError(try Network(inputs: [x], outputs: make(x)), line: line) {
                XCTAssertTrue(($0 as? ApusError)?.message.contains(complaint) == true, "\($0)", line: line)
            }
        }
        refuse("4 heads of x") { [MultiHeadAttention(heads: 4)($0)] }
        refuse("3 heads and 2 of keys") { [MultiHeadAttention(heads: 3, keyValueHeads: 2)($0)] }
        refuse("wanted an even size") { [MultiHeadAttention(heads: 2, rotary: RotaryPositions())($0)] }
        refuse("wanted x [batch, time, width]") { [MultiHeadAttention(heads: 2)($0, $0, $0)] }
        refuse("wanted a mask [2, 4]") { [MultiHeadAttention(heads: 2)($0, SequenceElement(0)($0))] }
        refuse("a sequence of 4 elements, wanted at most 3") { [PositionEmbedding(3)($0)] }
        refuse("element 4 of 4") { [SequenceElement(4)($0)] }
        let embedding = Embedding(5, 6, name: "table")
        refuse("layer 'table' has no parameter 'embeddings' yet") { [TiedDense(embedding)($0)] }
    }

    func testCausalBlocksSeeNothingAhead() throws {
        var options = TransformerOptions(width: 8, heads: 2)
        options.rotary = RotaryPositions(length: 16)
        let network = try Sequential(input: [6, 8], seed: 2) {
            SinusoidalPositions(16)
            DecoderBlock(options)
        }
        var values = (0..<48).map { Float($0 * 31 % 19) / 9 - 1 }
        let before = try network.predict(try Tensor(values, shape: [1, 6, 8])).doubles()
        for i in 32..<48 { values[i] += 1 }
        let after = try network.predict(try Tensor(values, shape: [1, 6, 8])).doubles()
        XCTAssertEqual(Array(before[..<32]), Array(after[..<32]))
        XCTAssertNotEqual(before[32], after[32])
    }

    // MARK: What trains them

    func testBlocksShareTheirWeights() throws {
        let x = Input([3, 8]), block = EncoderBlock(TransformerOptions(width: 8, heads: 2), name: "block")
        let once = try Network(inputs: [x], outputs: [block(x)]).parameters.all.count
        let y = Input([3, 8]), same = EncoderBlock(TransformerOptions(width: 8, heads: 2), name: "block")
        XCTAssertEqual(try Network(inputs: [y], outputs: [same(same(y))]).parameters.all.count, once)
    }

    /// A network that is shown one sequence learns it by heart, and what ships says the same.
    func testAGPTLearns() throws {
        let network = try ModelLibrary.gpt(vocabulary: 7, context: 8, width: 16, heads: 2, layers: 2, seed: 4)
        let sequence: [Int32] = [1, 5, 2, 2, 6, 0, 3, 3, 4]
        let tokens = try Tensor(Array(sequence[..<8]), shape: [1, 8]), next = try Tensor(Array(sequence[1...]), shape: [1, 8])
        let batch = Batch(
            position: 0, indices: [0], inputs: [NamedTensor("tokens", tokens)], targets: [NamedTensor("logits", next)])
        let optimizer = AdamW(learningRate: 0.01, weightDecay: 0.01, decaying: .kernels)
        let trainer = try Trainer(
            network, loss: SparseCategoricalCrossEntropy(fromLogits: true, labelSmoothing: 0.05), optimizer: optimizer,
            batchSize: 1)
        let first = try trainer.step(batch)
        XCTAssertEqual(first, log(7), accuracy: 0.1)
        for _ in 0..<80 { try trainer.step(batch) }
        try trainer.updateNetwork()
        let logits = try network.predict(tokens)
        var perplexity = Perplexity(), accuracy = Accuracy()
        try perplexity.update(predictions: logits, targets: next)
        try accuracy.update(predictions: logits, targets: next)
        XCTAssertEqual(accuracy.value, 1)
        XCTAssertLessThan(perplexity.value, 1.2)
    }

    func testDecayOfSomeWeights() throws {
        func decayed(_ decaying: AdamW.Decaying) throws -> [String] {
            let x = Input([2], dtype: .i32), embedding = Embedding(3, 4, name: "table")
            let hidden = LayerNorm(name: "norm")(Dense(4, name: "dense")(embedding(x)))
            let network = try Network(inputs: [x], outputs: [TiedDense(embedding)(hidden)])
            let graph = try TrainingProgram(
                network, losses: [SparseCategoricalCrossEntropy(fromLogits: true)],
                optimizer: AdamW(weightDecay: 0.1, decaying: decaying), .init(maximumBatch: 1)
            ).graph
            return graph.functions[0].nodes.filter { ($0.op as? ApusGraph.Adam)?.weightDecay == 0.1 }
                .map { String($0.name.dropFirst("update/".count)) }.sorted()
        }
        let all = ["dense/bias", "dense/kernel", "norm/beta", "norm/gamma", "table/embeddings"]
        XCTAssertEqual(try decayed(.all), all)
        XCTAssertEqual(try decayed(.kernels), ["dense/kernel"])
        XCTAssertEqual(try decayed(.allBut(["norm", "bias"])), ["dense/kernel", "table/embeddings"])
    }

    func testLabelSmoothing() throws {
        let logits = TestTensor.make(.f64, [4, 5]) { Double($0[0] * 7 + $0[1] * 3 % 4) / 5 - 1 }
        let labels: [Int] = [3, 0, 4, 1]
        func loss(_ loss: any Loss, _ target: TestTensor) throws -> Double {
            let graph = Graph("loss"), builder = GraphBuilder(graph, function: "loss")
            let x = try builder.input("x0", logits.converted(to: .f32).type), t = try builder.input("x1", target.type)
            builder.output("y0", try loss.value(x, t, builder))
            builder.finish()
            let inputs = [logits.converted(to: .f32), target]
            return try OperatorRun.run(try Model(graph), inputs, isa: .init(rawValue: 0))[0].values[0]
        }
        let dense = TestTensor.make(.f32, [4, 5]) { labels[$0[0]] == $0[1] ? 1 : 0 }
        let sparse = SparseCategoricalCrossEntropy(fromLogits: true, labelSmoothing: 0.2)
        XCTAssertEqual(
            try loss(sparse, TestTensor(.i32, [4], labels.map { Double($0) })),
            try loss(CategoricalCrossEntropy(fromLogits: true, labelSmoothing: 0.2), dense), accuracy: 1e-6)
    }

    func testPerplexity() throws {
        var uniform = Perplexity()
        let same = try Tensor([Float](repeating: 3, count: 15), shape: [3, 5])
        try uniform.update(predictions: same, targets: try Tensor([Int32(0), 4, 2]))
        XCTAssertEqual(uniform.value, 5, accuracy: 1e-9)
        var probabilities = Perplexity(fromLogits: false)
        let shares = try Tensor([Float(0.5), 0.5, 0.125, 0.875], shape: [2, 2])
        try probabilities.update(predictions: shares, targets: try Tensor([Int32(0), 0]))
        XCTAssertEqual(probabilities.value, 4, accuracy: 1e-6)
    }
}
