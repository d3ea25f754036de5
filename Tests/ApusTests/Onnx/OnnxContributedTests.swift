import Apus
import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import ApusConvert

/// ONNX Runtime's own operators; Tests/OnnxSuite/contributed.py compares them with ONNX Runtime.
final class OnnxContributedTests: XCTestCase {
    private let domain = "com.microsoft"

    private func fixture() -> OnnxFixture {
        var f = OnnxFixture()
        f.domains = [domain]
        return f
    }

    private func graph(_ f: OnnxFixture, disabled: Set<String> = []) throws -> Graph {
        let model = try OnnxReader.read(bytes: f.bytes, folder: URL(fileURLWithPath: "/nonexistent"))
        return try ModelConversion(try Importer.graph(of: model, OnnxOptions()).get(), ExportOptions(disabled: disabled)).graph
    }

    private func run(_ graph: Graph, _ inputs: [Tensor], _ sizes: [String: Int] = [:]) throws -> Tensor {
        let session = try Session(try ApusRuntime.Model(graph))
        defer { session.destroy() }
        return try session.run(["b": inputs[0].shape[0]].merging(sizes) { $1 }, inputs)
    }

    private func random(_ shape: [Int], seed: UInt64) throws -> Tensor {
        var random = Philox(seed: seed)
        return try Tensor((0..<shape.reduce(1, *)).map { _ in Float(random.normal()) }, shape: shape)
    }

    private func assertClose(_ a: Tensor, _ b: Tensor, _ what: String = "") throws {
        XCTAssertEqual(a.shape, b.shape, what)
        for (x, y) in zip(try a.doubles(), try b.doubles()) { XCTAssertEqual(x, y, accuracy: 1e-5, what) }
    }

    /// Queries, keys and values that lie side by side in each head are those that are given apart.
    func testPackedHeads() throws {
        let packed = try random([2, 5, 4, 3, 2], seed: 1), numbers = try packed.doubles()
        func part(_ i: Int) throws -> Tensor {
            try Tensor((0..<2 * 5 * 4 * 2).map { Float(numbers[($0 / 2 * 3 + i) * 2 + $0 % 2]) }, shape: [2, 5, 8])
        }
        var whole = fixture(), halves = fixture(), apart = fixture()
        whole.input("p", [.named("b"), .fixed(5), .fixed(4), .fixed(3), .fixed(2)])
        whole.node("MultiHeadAttention", ["p"], ["y"], int: ["num_heads": 4, "unidirectional": 1], domain: domain)
        whole.output("y")
        halves.input("q", [.named("b"), .fixed(5), .fixed(8)])
        halves.input("p", [.named("b"), .fixed(5), .fixed(4), .fixed(2), .fixed(2)])
        halves.node("MultiHeadAttention", ["q", "p"], ["y"], int: ["num_heads": 4, "unidirectional": 1], domain: domain)
        halves.output("y")
        for name in ["q", "k", "v"] { apart.input(name, [.named("b"), .fixed(5), .fixed(8)]) }
        apart.node("MultiHeadAttention", ["q", "k", "v"], ["y"], int: ["num_heads": 4, "unidirectional": 1], domain: domain)
        apart.output("y")
        let wanted = try run(try graph(apart), [part(0), part(1), part(2)])
        try assertClose(try run(try graph(whole), [packed]), wanted)
        var both: [Float] = []
        for i in 0..<2 * 5 * 4 { for j in 1...2 { for k in 0..<2 { both.append(Float(numbers[(i * 3 + j) * 2 + k])) } } }
        let keysAndValues = try Tensor(both, shape: [2, 5, 4, 2, 2])
        try assertClose(try run(try graph(halves), [part(0), keysAndValues]), wanted)
    }

    /// Sequences of any length with a mask are one node.
    func testAttentionIsFused() throws {
        var f = fixture()
        f.input("x", [.named("b"), .named("t"), .fixed(8)])
        f.input("mask", [.named("b"), .named("t")], type: 6)
        f.constant("w", [8, 24], try random([8, 24], seed: 2).array(of: Float.self))
        f.constant("bias", [24], try random([24], seed: 3).array(of: Float.self))
        f.node("Attention", ["x", "w", "bias", "mask"], ["y"], int: ["num_heads": 2], domain: domain)
        f.output("y")
        let graph = try graph(f), names = graph.functions[0].nodes.map { $0.op.name }
        XCTAssertEqual(names.filter { $0 == "Attention" }.count, 1)
        XCTAssertFalse(names.contains("Softmax"))
        // What is masked changes nothing.
        func two(_ x: Tensor) throws -> Tensor { try x.reshaped([4, 8]).rows(0..<2).reshaped([1, 2, 8]) }
        let x = try random([1, 4, 8], seed: 4)
        let long = try run(graph, [x, try Tensor([1, 1, 0, 0] as [Int32], shape: [1, 4])], ["t": 4])
        let short = try run(graph, [try two(x), try Tensor([1, 1] as [Int32], shape: [1, 2])], ["t": 2])
        try assertClose(try two(long), short)
    }

    /// ONNX's own operator too, where queries that may see no key give 0.
    func testGuardOfMaskedQueriesIsFused() throws {
        var f = OnnxFixture()
        f.operatorSet = 23
        for name in ["q", "k", "v"] { f.input(name, [.named("b"), .fixed(2), .fixed(3), .fixed(4)]) }
        f.input("mask", [.named("b"), .fixed(1), .fixed(3), .fixed(3)], type: 9)
        f.node("Attention", ["q", "k", "v", "mask"], ["z"])
        f.node("Transpose", ["z"], ["t"], ints: ["perm": [0, 2, 1, 3]])
        f.constant("shape", [0, 0, 8])
        f.node("Reshape", ["t", "shape"], ["y"])
        f.output("y")
        let fused = try graph(f), plain = try graph(f, disabled: ["fuse-attention"])
        XCTAssertTrue(fused.functions[0].nodes.contains { $0.op.name == "Attention" })
        XCTAssertFalse(fused.functions[0].nodes.contains { $0.op.name == "Softmax" })
        let parts = try (5...7).map { try random([2, 2, 3, 4], seed: $0) }
        let mask = try Tensor((0..<18).map { $0 % 9 < 3 ? false : $0 % 2 == 0 }, shape: [2, 1, 3, 3])
        let y = try run(fused, parts + [mask])
        try assertClose(y, try run(plain, parts + [mask]))
        XCTAssertEqual(try y.doubles().prefix(8), ArraySlice(repeating: 0, count: 8))
    }

    /// Of two sequences one has a past with padding, whose results are NaN.
    func testPaddingInAPast() throws {
        var f = fixture()
        for name in ["q", "k", "v"] { f.input(name, [.named("b"), .fixed(1), .fixed(4)]) }
        for name in ["pk", "pv"] { f.input(name, [.named("b"), .fixed(1), .named("p"), .fixed(4)]) }
        f.input("lengths", [.named("b")], type: 6)
        f.input("total", [.fixed(1)], type: 6)
        f.node(
            "GroupQueryAttention", ["q", "k", "v", "pk", "pv", "lengths", "total"], ["y"], int: ["num_heads": 1, "kv_num_heads": 1],
            domain: domain)
        f.output("y")
        XCTAssertEqual(try ModelConversion(try f.converted(), ExportOptions()).constantsWithNaN, [])
        let inputs = try (1...3).map { try random([2, 1, 4], seed: $0) } + (4...5).map { try random([2, 1, 3, 4], seed: $0) }
        let lengths = try Tensor([3, 2] as [Int32]), total = try Tensor([4] as [Int32])
        let y = try run(try graph(f), inputs + [lengths, total], ["p": 3]).doubles()
        XCTAssertEqual(y.map { $0.isNaN }, [Bool](repeating: false, count: 4) + [Bool](repeating: true, count: 4))
    }

    func testDynamicProductsAreIntegers() throws {
        var f = fixture()
        f.input("x", [.named("b"), .fixed(32)])
        f.codes("w", [32, 16], (0..<512).map { $0 * 37 % 255 - 127 })
        f.constant("scale", [1], [0.01])
        f.node("DynamicQuantizeMatMul", ["x", "w", "scale"], ["y"], domain: domain)
        f.output("y")
        XCTAssertEqual(try graph(f).functions[0].nodes.map { $0.op.name }, ["DynamicDense"])
    }

    /// Two codes of 4 bits in a byte stay codes.
    func testTablesOfCodes() throws {
        var f = fixture()
        f.input("ids", [.named("b")], type: 7)
        f.codes("table", [5, 16], (0..<80).map { $0 * 53 % 256 }, type: 2)
        f.constant("scales", [5, 1], [1, 0.5, 0.25, 2, 4])
        f.node("GatherBlockQuantized", ["table", "ids", "scales"], ["y"], int: ["block_size": 32], domain: domain)
        f.output("y")
        let graph = try graph(f)
        XCTAssertEqual(graph.functions[0].nodes.map { $0.op.name }, ["WeightOnlyGather"])
        let row = try run(graph, [try Tensor([1] as [Int64])]).doubles()
        for i in 0..<32 {
            let byte = (16 + i / 2) * 53 % 256, code = i % 2 == 0 ? byte % 16 : byte / 16
            XCTAssertEqual(row[i], Double(code - 8) / 2)
        }
    }

    func testRefusals() throws {
        func message(
            _ op: String, _ inputs: [String] = ["x", "w"], text: [String: String] = [:], int: [String: Int] = [:]
        ) -> String {
            var f = fixture()
            f.input("x", [.fixed(1), .fixed(3), .fixed(3)])
            f.constant("w", [3, 3], [Float](repeating: 1, count: 9))
            f.node(op, inputs, ["y"], int: int, text: text, domain: domain)
            f.output("y")
            do { _ = try f.converted() } catch { return "\(error)" }
            return ""
        }
        XCTAssertTrue(message("FusedMatMulActivation", text: ["activation": "Nonsense"]).contains("of 0 numbers"))
        XCTAssertTrue(message("Attention", int: ["num_heads": 1, "do_rotary": 1]).contains("do_rotary"))
        XCTAssertTrue(message("Attention", int: ["num_heads": 2]).contains("in 2 heads"))
        XCTAssertTrue(message("RotaryEmbedding").contains("wanted input 2"))
        XCTAssertTrue(message("GroupQueryAttention", int: ["smooth_softmax": 1]).contains("with smooth_softmax"))
        let rotated = message("QAttention", ["x", "w", "w", "w", "w"], int: ["num_heads": 1, "do_rotary": 1])
        XCTAssertTrue(rotated.contains("com.microsoft.QAttention is not supported"))
        var halves = fixture()
        halves.input("p", [.fixed(1), .fixed(2), .fixed(1), .fixed(2), .fixed(3)])
        halves.node("MultiHeadAttention", ["p"], ["y"], int: ["num_heads": 1], domain: domain)
        halves.output("y")
        XCTAssertThrowsError(try halves.converted()) {
            XCTAssertTrue("\($0)".contains("wanted [batch, length, heads, 3, size]"), "\($0)")
        }
        XCTAssertTrue(message("PagedAttention").contains("com.microsoft.PagedAttention is not supported"))
    }
}
