import ApusGraph
import XCTest

@testable import Apus

/// Mistakes of a program are errors that name what was found and what is wanted, before anything is trained on them.
final class MisuseTests: XCTestCase {
    func testSizesThatNoMemoryHolds() {
        func refused(_ input: [Int], _ part: String, line: UInt = #line, @LayerBuilder layers: () -> [Layer]) {
            let found = message { _ = try Sequential(input: input, layers: layers) }
            XCTAssertTrue(found.contains(part), found, line: line)
        }
        refused([4], "units, wanted at most 2147483647") { Dense(.max) }
        refused([4], "units, wanted at most 2147483647") { Dense(1 << 40) }
        refused([1 << 30], "no memory for a tensor of 576460752303423488 bytes") { Dense(1 << 27) }
        refused([.max], "is too large") { Dense(3) }
        refused([4, 2], "layer 'lstm': 9223372036854775807 units") { LSTM(.max) }
        refused([4, 4, 2], "filters, wanted at most 2147483647") { Conv2D(.max, kernel: 3) }
        refused([4, 4, 2], "is too large") { Conv2D(1, kernel: Size2D(1 << 40, 1 << 40)) }
        refused([4, 4, 2], "filters a channel") { DepthwiseConv2D(kernel: 3, multiplier: .max) }
        refused([4, 4, 2], "pixels of stride") { Conv2DTranspose(1, kernel: 2, stride: Size2D(1, .min)) }
        refused([4, 2], "with dilation 1099511627776") { Conv1D(1, kernel: 3, padding: .causal, dilation: 1 << 40) }
        refused([4, 4], "channels a head") { MultiHeadAttention(heads: 2, size: .max) }
        refused([4], "is too large") { Reshape([2, 2]); Flatten(); Embedding(.max, .max) }
    }

    func testNetworks() throws {
        let a = Input([4], name: "a"), layer = Dense(2)
        XCTAssertFails(.invalidArgument, "0 inputs, wanted 1") { try Network(inputs: [a], outputs: [Dense(1)()]) }
        XCTAssertFails(.invalidArgument, "2 inputs, wanted 1") { try Network(inputs: [a], outputs: [Dense(1)(a, a)]) }
        XCTAssertFails(.invalidArgument, "without an output") { try Network(inputs: [a], outputs: []) }
        XCTAssertFails(.invalidArgument, "'a' is listed twice") { try Network(inputs: [a, a], outputs: [layer(a)]) }
        XCTAssertFails(.badShape, "'input' of shape [-1]") { try Sequential(input: [-1]) { Dense(1) } }
        XCTAssertFails(.badShape, "wanted [batch, …, channels]") { try Sequential(input: []) { Dense(1) } }
        XCTAssertFails(.invalidArgument, "-1 layers") {
            try ModelLibrary.gpt(vocabulary: 9, context: 4, width: 8, heads: 2, layers: -1)
        }
        let unused = try Network(inputs: [Input([2]), a], outputs: [layer(a)])
        XCTAssertEqual(try unused.inferenceGraph().functions[0].inputs.map(\.name), ["input", "a"])
    }
}
