import ApusGraph
import ApusRuntime
import XCTest

/// Sizes that a run finds: what follows is as in a graph made for them, run after run in the same memory.
final class MeasuredDimensionTests: XCTestCase {
    /// The rows of x [6, 2] whose first element is positive, and their sum.
    private func positiveRows() throws -> Graph {
        let graph = Graph("rows")
        graph.dimensions = [SymbolicDimension("n", 0...6)]
        let b = GraphBuilder(graph, function: "predict")
        let x = try b.input("x", TensorType(.f32, [6, 2]))
        let first = try b(Slice(axes: [1], starts: [0], ends: [1]), x)
        let flags = try b(Reshape([6]), try b(.greater, first, try b.scalar(0, .f32)))
        let found = try b.node(NonZero(), [flags])
        let places = try b(Reshape([-1]), try b(Trim(dimension: 0), found[0], found[1]))
        let rows = try b(Gather(), x, places)
        b.output("rows", try b(.exp, rows), type: TensorType(.f32, [-1, 2]))
        b.output("sum", try b(Reduction(.sum, axes: [0]), rows))
        b.finish()
        return graph
    }

    private func run(_ session: Session, _ values: [Float]) throws -> (rows: [Float], sum: [Float]) {
        try values.withUnsafeBytes { try session.setInput(0, $0) }
        try session.run()
        var results: [[Float]] = []
        for output in 0..<2 {
            var y = [Float](repeating: -7, count: try session.type(.output, function: 0, output).shape.count)
            try y.withUnsafeMutableBytes { try session.getOutput(output, $0) }
            results.append(y)
        }
        return (results[0], results[1])
    }

    func testRunsOfManySizes() throws {
        for threads in [1, 2] {
            var options = SessionOptions()
            options.threads = threads
            let session = try Session(try Model(try positiveRows()), options)
            defer { session.destroy() }
            XCTAssertTrue(session.measures(function: 0))
            for kept in [6, 0, 3, 6, 1] {
                let values = (0..<12).map { i in i / 2 < kept ? Float(i + 1) / 8 : -1 }
                let (rows, sum) = try run(session, values)
                XCTAssertEqual(session.dimensions, [kept])
                XCTAssertEqual(rows.count, 2 * kept)
                for (found, x) in zip(rows, values) { XCTAssertEqual(found, Float(exp(Double(x))), accuracy: 1e-5) }
                for column in 0..<2 {
                    let wanted = (0..<kept).reduce(Float(0)) { $0 + values[2 * $1 + column] }
                    XCTAssertEqual(sum[column], wanted, accuracy: 1e-5)
                }
            }
        }
    }

    func testAnOutputBoundTooSmallEndsTheRun() throws {
        let session = try Session(try Model(try positiveRows()))
        defer { session.destroy() }
        _ = try run(session, [Float](repeating: -1, count: 12))
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 64)
        defer { memory.deallocate() }
        try session.bind(.output, 0, memory, size: 16)
        XCTAssertThrowsError(try run(session, [Float](repeating: 1, count: 12))) {
            XCTAssert("\($0)".contains("output 'rows' is bound to 16 bytes, wanted 48"), "\($0)")
        }
        XCTAssertEqual(try run(session, [1, 1, 1, 1] + [Float](repeating: -1, count: 8)).rows.count, 4)
    }

    func testWhatIsMeasuredIsNotSet() throws {
        let graph = try positiveRows()
        let session = try Session(try Model(graph))
        defer { session.destroy() }
        XCTAssertThrowsError(try session.setDimension("n", 3)) { XCTAssert("\($0)".contains("measured"), "\($0)") }
        var options = SessionOptions()
        options.dimensionLimits = [("n", 3)]
        XCTAssertThrowsError(try Session(try Model(graph), options)) { XCTAssert("\($0)".contains("measures"), "\($0)") }
        graph.functions[0].inputs[0].type.shape[0] = -1
        XCTAssertThrowsError(try Model(graph)) { XCTAssert("\($0)".contains("measures"), "\($0)") }
    }

    func testADimensionIsMeasuredOnce() throws {
        let graph = try positiveRows()
        graph.functions.append(graph.functions[0])
        XCTAssertThrowsError(try Model(graph)) { XCTAssert("\($0)".contains("measures dimension 'n' again"), "\($0)") }
    }

    /// What a dimension that is set leaves room for bounds one that is measured: y is the first n of x [t].
    func testASmallerDimensionBoundsWhatIsMeasured() throws {
        let graph = Graph("trim")
        graph.dimensions = [SymbolicDimension("t", 2...6), SymbolicDimension("n", 0...6)]
        let b = GraphBuilder(graph, function: "predict")
        let x = try b.input("x", TensorType(.f32, [-1])), n = try b.input("n", TensorType(.i64, []))
        b.output("y", try b(Trim(dimension: 1), x, n), type: TensorType(.f32, [-2]))
        b.finish()
        var options = SessionOptions()
        for limit in [6, 4] {
            options.dimensionLimits = [("t", limit)]
            let session = try Session(try Model(graph), options)
            defer { session.destroy() }
            XCTAssertEqual(session.dimensions, [limit, limit])
            for t in [3, 2, 4] {
                try session.setDimension("t", t)
                let values = (0..<t).map { Float($0) }
                try values.withUnsafeBytes { try session.setInput(0, $0) }
                try [Int64(t + 1)].withUnsafeBytes { try session.setInput(1, $0) }
                XCTAssertThrowsError(try session.run()) {
                    XCTAssert("\($0)".contains("measured dimension 'n' of \(t + 1), wanted 0 ... \(t)"), "\($0)")
                }
                for count in [t, 1, t - 1] {
                    try [Int64(count)].withUnsafeBytes { try session.setInput(1, $0) }
                    try session.run()
                    XCTAssertEqual(session.dimensions, [t, count])
                    var y = [Float](repeating: -7, count: count)
                    try y.withUnsafeMutableBytes { try session.getOutput(0, $0) }
                    XCTAssertEqual(y, Array(values.prefix(count)))
                }
            }
        }
    }

    func testACountBeyondTheBoundsEndsTheRun() throws {
        let graph = Graph("trim")
        graph.dimensions = [SymbolicDimension("n", 1...4)]
        let b = GraphBuilder(graph, function: "predict")
        let x = try b.input("x", TensorType(.f32, [4])), n = try b.input("n", TensorType(.i64, []))
        b.output("y", try b(Trim(dimension: 0), x, n), type: TensorType(.f32, [-1]))
        b.finish()
        let session = try Session(try Model(graph))
        defer { session.destroy() }
        try [Float](repeating: 1, count: 4).withUnsafeBytes { try session.setInput(0, $0) }
        for count in [0, 5, -1, Int64.max, Int64.min] {
            try [count].withUnsafeBytes { try session.setInput(1, $0) }
            XCTAssertThrowsError(try session.run()) {
                XCTAssertEqual("\($0)", "measured dimension 'n' of \(count), wanted 1 ... 4")
            }
        }
        try [Int64(2)].withUnsafeBytes { try session.setInput(1, $0) }
        try session.run()
        XCTAssertEqual(try session.type(.output, function: 0, 0).shape, [2])
    }
}
