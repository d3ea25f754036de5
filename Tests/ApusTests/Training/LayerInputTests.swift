import XCTest

@testable import Apus

/// Calls of layers without what they need.
final class LayerInputTests: XCTestCase {
    /// A layer called without inputs, or an attention block, is an error of the network, not a trap.
    func testNoInputs() throws {
        let options = TransformerOptions(width: 4, heads: 2), embedding = Embedding(3, 4)
        let layers: [Layer] = [
            EncoderBlock(options), DecoderBlock(options), EncoderBlock(options, name: "named"), Residual { Dense(1) },
            Residual {},
            Residual { EncoderBlock(options) }, Add(), Average(), Concat(), Dense(1), Conv2D(1, kernel: 1), Conv1D(1, kernel: 1),
            MultiHeadAttention(heads: 1), embedding, TiedDense(embedding), LSTM(1), GRU(1), Bidirectional(LSTM(1)), Flatten(),
            GlobalAvgPool1D(), BatchNorm(), LayerNorm(), RMSNorm(), Dropout(0.5), PositionEmbedding(3), SinusoidalPositions(),
            Reshape([1]), Permute(1), Softmax(), MaxPool2D(2),
        ]
        let x = Input([4])
        for layer in layers {
            for make in [{ layer.apply([]) }, { [layer()] }] {
                let found = message { _ = try Network(inputs: [x], outputs: make()) }
                let isClear = found.contains("inputs") || found.contains("x missing")
                XCTAssertTrue(found.hasPrefix("layer '") && isClear, "\(layer.kind): \(found)")
            }
        }
        final class None: Layer {
            override var outputCount: Int { 0 }
            override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] { [] }
        }
        final class Nowhere: Layer {
            override func apply(_ inputs: [SymbolicTensor]) -> [SymbolicTensor] { [] }
        }
        XCTAssertFails(.invalidArgument, "layer 'none': 0 tensors made, wanted 1") {
            try Network(inputs: [x], outputs: [None()(x)])
        }
        XCTAssertFails(.unsupported, "layer 'nowhere': Nowhere emits nothing") {
            try Network(inputs: [x], outputs: [Nowhere()(x)])
        }
    }
}
