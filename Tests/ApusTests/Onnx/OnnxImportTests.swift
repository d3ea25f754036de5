import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus
@testable import ApusConvert

/// What becomes of nodes: computed, mapped, or reported.
final class OnnxImportTests: XCTestCase {
    private func graph(_ f: OnnxFixture, _ options: OnnxOptions = OnnxOptions()) throws -> Result<Graph, OnnxBlocked> {
        let model = try OnnxReader.read(bytes: f.bytes, folder: URL(fileURLWithPath: "/nonexistent"))
        return try Importer.graph(of: model, options)
    }

    /// A shape made of a symbolic batch is known at conversion: no node is left of it.
    func testShapeArithmeticBecomesAReshape() throws {
        let graph = try graph(OnnxReaderTests.convolutional()).get()
        XCTAssertEqual(graph.operations, ["Transpose", "Transpose", "Conv2D", "Transpose", "Relu", "Reshape"])
        let reshape = try XCTUnwrap(graph.functions[0].nodes.last?.op as? ApusGraph.Reshape)
        XCTAssertEqual(reshape.shape, [0, 48])
        XCTAssertEqual(graph.functions[0].outputs[0].type.shape.dimensions, [-1, 48])
    }

    func testPushedTransposesStayAtTheEdges() throws {
        var f = OnnxFixture()
        f.input("x", [.named("batch"), .fixed(2), .fixed(4), .fixed(4)])
        f.constant("w", [2, 2, 3, 3], (0..<36).map { Float($0) / 36 - 0.5 })
        f.constant("b", [2, 1, 1], [1, -1])
        for (from, to) in [("x", "c1"), ("c1", "c2")] {
            f.node("Conv", [from, "w"], [to + "conv"], ints: ["pads": [1, 1, 1, 1]])
            f.node("Add", [to + "conv", "b"], [to + "sum"])
            f.node("Relu", [to + "sum"], [to])
        }
        f.node("Concat", ["c1", "c2"], ["y"], int: ["axis": 1])
        f.output("y")
        let graph = try graph(f).get()
        XCTAssertEqual(graph.operations.count { $0 == "Transpose" }, 6)
        XCTAssertGreaterThan(try graph.check(pushTransposesPass), 0)
        _ = try graph.check(foldConstantsPass)
        XCTAssertEqual(graph.operations.first, "Transpose")
        XCTAssertEqual(graph.operations.last, "Transpose")
        XCTAssertEqual(graph.operations.count { $0 == "Transpose" }, 2)
        XCTAssertEqual(try graph.check(pushTransposesPass), 0)
    }

    func testEveryNodeInTheWayIsReported() throws {
        var f = OnnxFixture()
        f.input("x", [.fixed(4)])
        for i in 0..<5 { f.node("NoSuchOperator\(i)", ["x"], ["y\(i)"]) }
        f.node("Add", ["y0", "y1"], ["z"])
        f.output("z")
        guard case .failure(let blocked) = try graph(f) else { return XCTFail("imported") }
        XCTAssertEqual(blocked.blocks.map { $0.op }, (0..<5).map { "NoSuchOperator\($0)" })
        XCTAssertEqual(blocked.blocks[0].shapes, ["f32[4]"])
        XCTAssertEqual(blocked.text.split(separator: "\n").count, 5)
    }

    func testAnInputThatDecidesAShapeCanBeFixed() throws {
        var f = OnnxFixture()
        f.input("x", [.fixed(2), .fixed(6)])
        f.input("shape", [.fixed(2)], type: 7)
        f.node("Reshape", ["x", "shape"], ["y"])
        f.output("y")
        guard case .failure(let blocked) = try graph(f) else { return XCTFail("imported") }
        XCTAssertEqual(blocked.blocks.map { $0.fix }, [["shape"]])
        var options = OnnxOptions()
        options.fixed["shape"] = try Tensor([3, -1] as [Int])
        let graph = try graph(f, options).get()
        XCTAssertEqual(graph.functions[0].inputs.map { $0.name }, ["x"])
        XCTAssertEqual(graph.functions[0].outputs[0].type.shape, [3, 4])
    }

    func testDimensionsHaveBounds() throws {
        var options = OnnxOptions()
        options.dimensions["batch"] = 2...9
        let graph = try graph(OnnxReaderTests.convolutional(), options).get()
        XCTAssertEqual(graph.dimensions.map { [$0.minimum, $0.maximum] }, [[2, 9]])
        options.dimensions["length"] = 1...2
        XCTAssertThrowsError(try self.graph(OnnxReaderTests.convolutional(), options))
    }

    /// Two dimensions that the exporter did not know to be one, which a reshape takes for one.
    func testDimensionsAreTheSame() throws {
        var f = OnnxFixture()
        f.input("x", [.named("s1"), .fixed(4)])
        f.input("z", [.named("s2"), .fixed(2)])
        f.constant("four", [4])
        f.node("Shape", ["z"], ["rows"], int: ["end": 1])
        f.node("Concat", ["rows", "four"], ["shape"], int: ["axis": 0])
        f.node("Reshape", ["x", "shape"], ["y"])
        f.output("y")
        guard case .failure(let blocked) = try graph(f) else { return XCTFail("imported") }
        XCTAssertTrue(blocked.blocks[0].reason.contains("--dim NAME=OTHER"), blocked.blocks[0].reason)
        var options = OnnxOptions()
        options.same = ["s2": "s1"]
        options.dimensions["s1"] = 1...5
        let graph = try graph(f, options).get()
        XCTAssertEqual(graph.dimensions.map { $0.name }, ["s1"])
        XCTAssertEqual(graph.functions[0].inputs.map { $0.type.shape }, [[-1, 4], [-1, 2]])
        for same in [["s3": "s1"], ["s2": "s3"], ["s1": "s2", "s2": "s1"]] {
            options.same = same
            XCTAssertThrowsError(try self.graph(f, options), "\(same)")
        }
    }
}
