import Apus
import ApusGraph
import ApusRuntime
import CKernels
import XCTest

/// Which steps a plan gives to several threads.
final class SharedStepsTests: XCTestCase {
    private let dense = Dense(hasBias: false)

    /// Of two threads, per step, how many share it.
    private func shares(_ shapes: [Shape], _ layers: (GraphBuilder, [Value]) throws -> Value) throws -> [Int] {
        let graph = Graph("shared")
        let builder = GraphBuilder(graph, function: "predict")
        var values: [Value] = []
        for (i, shape) in shapes.enumerated() { values.append(try builder.input("x\(i)", TensorType(.f32, shape))) }
        builder.output("y", try layers(builder, values))
        builder.finish()
        let options = PlanOptions(limits: [], isa: CK_ISA_AVX512, lanes: 2)
        return try Plan(try ValidGraph(validating: graph), function: 0, options).shares(lanes: 2)
    }

    func testShortStepsBetweenSequencesStayOnOneThread() throws {
        let found = try shares([[1, 300, 16], [16, 256], [4, 64, 64]]) {
            try $0.node(Lstm(), [try $0(dense, $1[0], $1[1]), $1[2]])[0]
        }
        XCTAssertEqual(found, found.map { _ in 1 })
    }

    func testLongStepsBetweenSequencesAreShared() throws {
        let found = try shares([[1, 400, 256], [256, 1024], [4, 256, 256]]) {
            try $0.node(Lstm(), [try $0(dense, $1[0], $1[1]), $1[2]])[0]
        }
        XCTAssertEqual(found.max(), 2, "the product of 400 × 256 × 1024")
        XCTAssertEqual(found.last, 1, "one sequence is one unit")
    }

    func testShortStepsAmongSharedOnesAreShared() throws {
        let found = try shares([[128, 64], [64, 96], [96, 80]]) { try $0(dense, try $0(dense, $1[0], $1[1]), $1[2]) }
        XCTAssertEqual(found, [2, 2, 2, 2], "each matrix packed, and multiplied")
    }

    func testStepsBelowAMicrosecondAreNotShared() throws {
        let found = try shares([[32, 16], [16, 32]]) { try $0(dense, $1[0], $1[1]) }
        XCTAssertEqual(found, [1, 1])
    }

    func testSmallArenasShareNoMemory() {
        let buffers = [100, 64, 1000, 64].enumerated().map { Lifetime(size: $1, first: $0, last: $0 + 1) }
        let apart = ArenaLayout(buffers, apart: 1280), shared = ArenaLayout(buffers, apart: 1279)
        XCTAssertEqual(apart.peak, 128 + 64 + 1024 + 64)
        XCTAssertEqual(shared.peak, 1024 + 64, "the largest and a neighbour")
        let ranges = buffers.indices.map { apart.offsets[$0]..<apart.offsets[$0] + buffers[$0].size }
        for (i, range) in ranges.enumerated() {
            for other in ranges[..<i] { XCTAssertFalse(range.overlaps(other), "\(range), \(other)") }
        }
    }
}
