import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// Decoders run whole and step by step give the same bits.
final class TransformerStreamTests: XCTestCase {
    private let length = 12

    private func check(_ network: Network, line: UInt = #line) throws {
        let tokens = try Tensor((0..<length).map { Int32($0 * 5 % 7) }, shape: [1, length])
        let whole = try network.predict(tokens).array(of: Float.self), width = whole.count / length
        let graph = try network.exportGraph(steps: StepOptions(chunks: [1, 4]))
        for threads in [1, 2] {
            var options = SessionOptions()
            options.threads = threads
            let session = try Session(try Model(graph), options)
            defer { session.destroy() }
            // A chunk of 4, then one by one.
            var found: [Float] = []
            for range in [0..<4] + (4..<length).map({ $0..<$0 + 1 }) {
                let function = graph.functionIndex(StepOptions.functionName(chunk: range.count))!
                let part = try Tensor(Array(try tokens.array(of: Int32.self)[range]), shape: [1, range.count])
                try session.set(function: function, input: 0, part)
                try session.run(function: function)
                found += try session.tensor(function: function, output: 0).array(of: Float.self)
            }
            XCTAssertEqual(found, whole, "\(threads) threads", line: line)
        }
        XCTAssertEqual(width, 7, line: line)
    }

    func testGPT() throws {
        try check(try ModelLibrary.gpt(vocabulary: 7, context: length, width: 24, heads: 3, layers: 2, seed: 6))
    }

    /// Rotary positions, shared keys and values, RMS norm, SwiGLU: the parts of newer decoders.
    func testOtherParts() throws {
        var options = TransformerOptions(width: 32, heads: 4, inner: 48)
        options.keyValueHeads = 2
        options.rotary = RotaryPositions(length: 16)
        options.normalization = .rmsNorm
        options.feedForward = .gated(.silu)
        options.usesBias = false
        let tokens = Input([length], dtype: .i32, name: "tokens"), embedding = Embedding(7, 32)
        var x = SinusoidalPositions(16)(embedding(tokens))
        for _ in 0..<2 { x = DecoderBlock(options)(x) }
        try check(try Network(inputs: [tokens], outputs: [TiedDense(embedding)(RMSNorm()(x))], seed: 6))
    }

    func testEncodersNeedTheWhole() throws {
        let network = try Sequential(input: [4, 8]) { EncoderBlock(TransformerOptions(width: 8, heads: 2), name: "block") }
        XCTAssertThrowsError(try network.exportGraph(steps: StepOptions())) {
            XCTAssertTrue(
                ($0 as? ApusError)?.message.contains("MultiHeadAttention needs the whole sequence") == true, "\($0)")
        }
    }
}
