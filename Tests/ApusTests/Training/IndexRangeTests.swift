import ApusGraph
import XCTest

@testable import Apus

/// Indices that a table has no row for are refused where they come in.
final class IndexRangeTests: XCTestCase {
    private func network(_ dtype: DType = .i32) throws -> Network {
        let tokens = Input([2], dtype: dtype, name: "tokens"), other = Input([2], dtype: dtype, name: "other")
        let x = Input([2], name: "x")
        let sums = Add()(GlobalAvgPool1D()(Embedding(7, 2)(tokens)), GlobalAvgPool1D()(Embedding(5, 2)(tokens)))
        let residual = Residual { Embedding(9, 2); LayerNorm() } shortcut: { Embedding(9, 2) }
        return try Network(
            inputs: [x, tokens, other], outputs: [Dense(1)(Concat()(x, sums, GlobalAvgPool1D()(residual(other))))], seed: 1)
    }

    private func data(_ tokens: [Int32], _ other: [Int32], _ dtype: DType = .i32) throws -> Dataset {
        let count = tokens.count / 2
        return try Dataset(
            inputs: [
                NamedTensor("other", Tensor(other, shape: [count, 2]).converted(to: dtype)),
                NamedTensor("tokens", Tensor(tokens, shape: [count, 2]).converted(to: dtype)),
                NamedTensor("x", Tensor.zeros(.f32, shape: [count, 2])),
            ], targets: [NamedTensor("output", Tensor.zeros(.f32, shape: [count, 1]))])
    }

    private func use(_ tokens: [Int32], _ other: [Int32], _ dtype: DType = .i32) throws -> [() throws -> Void] {
        let network = try network(dtype), data = try data(tokens, other, dtype)
        let trainer = try Trainer(network, loss: MSE(), optimizer: SGD(), batchSize: 2, threads: 1)
        return [
            { try trainer.step(Batch(data.rows(0..<2))); try trainer.step(Batch(data.rows(2..<3))) },
            { try trainer.fit(data, epochs: 1) },
            { _ = try network.predict([2, 1, 0].map { data.inputs[$0].tensor }, batchSize: 2) },
            { _ = try network.evaluate(data, losses: [MSE()], batchSize: 2) },
        ]
    }

    func testAreRefusedByInputSampleAndRange() throws {
        for dtype in [DType.i32, .i64] {
            for run in try use([0, 4, -5, 1, 2, 3], [8, -9, 0, 0, 0, 0], dtype) { try run() }
            for index in [5, -6] as [Int32] {
                let line = "index \(index) of sample 2 in input 'tokens', wanted -5 ... 4"
                for run in try use([0, 4, -5, 1, 2, index], [8, -9, 0, 0, 0, 0], dtype).dropFirst() {
                    XCTAssertFails(.invalidArgument, line) { try run() }
                }
                XCTAssertFails(.invalidArgument, line.replacingOccurrences(of: "sample 2", with: "sample 0")) {
                    try use([0, 4, -5, 1, 2, index], [8, -9, 0, 0, 0, 0], dtype)[0]()
                }
            }
            for run in try use([0, 0, 0, 0, 0, 0], [9, 0, 0, 0, 0, 0], dtype) {
                XCTAssertFails(.invalidArgument, "index 9 of sample 0 in input 'other', wanted -9 ... 8") { try run() }
            }
        }
    }

    /// Of an input whose elements come to the table in another shape.
    func testBehindLayersThatMoveElements() throws {
        for layer in [{ Reshape([2, 2]) }, { Flatten() }, { Permute(1) }] as [() -> Layer] {
            let network = try Sequential(input: [4], dtype: .i32, seed: 2) {
                layer()
                Reshape([4])
                Embedding(3, 2)
            }
            let tokens = try Tensor([0, 1, 2, -3, 0, 0, 3, 0] as [Int32], shape: [2, 4])
            XCTAssertFails(.invalidArgument, "index 3 of sample 1 in input 'input', wanted -3 ... 2") {
                _ = try network.predict([tokens], batchSize: 2)
            }
        }
    }

    /// In windows too; the state of training is as it was.
    func testNothingIsTrainedOnThem() throws {
        let network = try Sequential(input: [4], dtype: .i32, seed: 2) {
            Embedding(3, 2)
            LSTM(2, returnSequences: true)
        }
        let trainer = try Trainer(network, loss: MSE(), optimizer: SGD(), batchSize: 1, threads: 1, window: 4)
        let before = trainer.copyStates()
        let tokens = try Tensor([0, 1, 2, 3, 0, 0, 0, 0] as [Int32], shape: [1, 8])
        let data = try Dataset(inputs: tokens, targets: Tensor.zeros(.f32, shape: [1, 8, 2]))
        XCTAssertFails(.invalidArgument, "index 3 of sample 0 in input 'input', wanted -3 ... 2") {
            try trainer.fit(data, epochs: 1)
        }
        XCTAssertEqual(trainer.copyStates(), before)
    }
}
