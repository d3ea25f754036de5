import Apus
import ApusGraph
import ApusRuntime
import CKernels
import XCTest

/// Which steps a plan gives to several threads, what it packs, and in which order the units of a step run.
final class SharedStepsTests: XCTestCase {
    private let dense = Dense(hasBias: false)

    private func plan(_ shapes: [Shape], _ layers: (GraphBuilder, [Value]) throws -> Value) throws -> Plan {
        let graph = Graph("shared")
        let builder = GraphBuilder(graph, function: "predict")
        var values: [Value] = []
        for (i, shape) in shapes.enumerated() { values.append(try builder.input("x\(i)", TensorType(.f32, shape))) }
        builder.output("y", try layers(builder, values))
        builder.finish()
        let options = PlanOptions(limits: [], isa: CK_ISA_AVX512, lanes: 2)
        return try Plan(try ValidGraph(validating: graph), function: 0, options)
    }

    /// Of two threads, per step, how many share it.
    private func shares(_ shapes: [Shape], _ layers: (GraphBuilder, [Value]) throws -> Value) throws -> [Int] {
        try plan(shapes, layers).shares(lanes: 2)
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

    func testStepsAreSharedEarlierAfterSharedOnes() throws {
        let after = try shares([[128, 64], [64, 96]]) { try $0.node(ApusGraph.Softmax(axis: 1), [try $0(dense, $1[0], $1[1])])[0] }
        XCTAssertEqual(after, [1, 2, 2], "a matrix as it lies, its product, and a softmax of that")
        XCTAssertEqual(try shares([[128, 96]]) { try $0.node(ApusGraph.Softmax(axis: 1), $1)[0] }, [1])
        let apart = try shares([[128, 64], [64, 90], [90, 70]]) { try $0(dense, try $0(dense, $1[0], $1[1]), $1[2]) }
        XCTAssertEqual(apart, [1, 2, 1, 2], "each matrix packed, and multiplied")
    }

    func testMatricesOfFewRowsAreMultipliedAsTheyLie() throws {
        func packs(_ m: Int, _ n: Int) throws -> Bool {
            try plan([[m, 64], [64, n]]) { try $0(dense, $1[0], $1[1]) }.steps[0].launch.units > 0
        }
        XCTAssertEqual(try [96, 100].map { try packs(128, $0) }, [false, true], "whole panels")
        XCTAssertEqual(try [12, 13].map { try packs($0, 512) }, [false, true], "read once")
    }

    func testStepsThatMemoryBoundsGoBackwardInTurn() throws {
        let weights = TestTensor.make(.f32, [300, 1000]) { Double($0[0] * 1009 % 997 + $0[1]) / 1000 - 0.5 }
        func rows(_ count: Int) -> TestTensor { TestTensor.make(.f32, [count, 300]) { Double($0[1] % 7 + $0[0]) / 7 } }
        func backward(_ count: Int, _ columns: Int, lanes: Int) throws -> Bool {
            let plan = try self.plan([Shape([count, 300]), Shape([300, columns])]) { try $0(dense, $1[0], $1[1]) }
            return plan.takesTurns(lanes: lanes) && plan.steps[1].backwardPiece > 0
        }
        XCTAssertTrue(try backward(1, 1008, lanes: 1))
        XCTAssertFalse(try backward(64, 256, lanes: 1), "bound by operations")
        XCTAssertFalse(try backward(1, 2800, lanes: 1), "too large for a cache")
        XCTAssertTrue(try backward(1, 2800, lanes: 2), "but not for two")
        let model = try Model(try OperatorRun.graph(dense, [rows(1), weights], packed: true))
        let first = try OperatorRun.run(model, [rows(1)], isa: ck_isa_native())
        for threads in [1, 2, 3, 7] {
            for runs in [2, 3] {
                let last = try OperatorRun.run(model, [rows(1)], isa: ck_isa_native(), threads: threads, runs: runs)
                XCTAssertEqual(first.map { $0.bytes }, last.map { $0.bytes }, "\(threads) threads, run \(runs)")
            }
        }
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
