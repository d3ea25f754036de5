import ApusGraph
import ApusRuntime
import XCTest

/// Operators whose kernels depend on a dimension that is only known at run time: results for a part of the maximum are
/// those of a graph made for that size.
final class SymbolicBatchTests: XCTestCase {
    /// A function whose input is [batch, 3, 4] and whose output has any shape.
    private typealias Body = (GraphBuilder, Value) throws -> Value

    private let bodies: [(String, Body)] = [
        ("mean of the batch", { b, x in try b(Reduction(.mean, axes: [0]), x) }),
        ("sum of all", { b, x in try b(Reduction(.sum), x) }),
        ("count", { b, x in try b(BatchCount(), x) }),
        ("reversed", { b, x in
            try b(Slice(axes: [0], starts: [Int(Int32.max)], ends: [Int(Int32.min)], steps: [-1]), x)
        }),
        ("transposed", { b, x in try b(Transpose([2, 0, 1]), x) }),
        ("flattened", { b, x in try b(Flatten(), x) }),
        ("joined", { b, x in try b(Concat(axis: 1), x, x) }),
        ("padded", { b, x in try b(Pad(before: [0, 2, 1], after: [0, 1, 0], mode: .edge), x) }),
        ("expanded", { b, x in try b(ExpandLike(axes: [1, 2]), b(Reduction(.sum, axes: [1, 2]), x), x) }),
        ("gradient of a slice", { b, x in
            try b(SliceGradient(axes: [1], starts: [1], ends: [3]), b(Slice(axes: [1], starts: [1], ends: [3]), x), x)
        }),
        ("shape of another", { b, x in try b(ReshapeLike(), b(Reshape([-1]), x), x) }),
        ("normalized", { b, x in
            let row = try b(Slice(axes: [0], starts: [0], ends: [1]), x)
            let vector = try b(Reduction(.sum, axes: [0, 1]), row)
            return try b.node(LayerNorm(), [x, vector, vector])[0]
        }),
        ("gradient of a mean", { b, x in
            let y = try b(Reduction(.mean, axes: [0, 2]), x)
            let gradient = Gradient(builder: b, inputs: [x], outputs: [y], outputGradients: [y], wanted: [true])
            return try Reduction(.mean, axes: [0, 2]).gradient(gradient)[0]!
        }),
        ("greatest", { b, x in try b(ArgMax(axis: 0), x) }),
        ("pooled", { b, x in try b(Reduction(.globalMaxPool), x) }),
        ("less its mean", { b, x in try b(.sub, x, b(Reduction(.mean, axes: [0]), x)) }),
        ("chosen", { b, x in
            try b(Where(), b(.greater, x, b.scalar(11, .f32)), b(.exp, x), b(Reduction(.max, axes: [0]), x))
        }),
        ("gradient of a broadcast quotient", { b, x in
            let scale = try b(Reduction(.max, axes: [0, 2]), x)
            let scales = try b(Reshape([3, 1]), scale), y = try b(.div, x, scales)
            let gradient = Gradient(
                builder: b, inputs: [x, scales], outputs: [y], outputGradients: [x], wanted: [false, true])
            return try Operator.div.gradient(gradient)[1]!
        }),
        ("dropped", { b, x in
            try b(Dropout(rate: 0.5, source: RandomSource(seed: 3, stream: 1)), x, b.scalar(7, .i64))
        }),
        ("softmax across the batch", { b, x in try b(Softmax(axis: 0), x) }),
        ("cross entropy", { b, x in try b(SoftmaxCrossEntropy(), x, b(Softmax(), x)) }),
        ("norm", { b, x in try b(ClipByNorm(maximum: 1), x, b(GlobalNorm(), x)) }),
    ]

    /// What has no answer for a batch of nothing.
    private let needRows: Set<String> = ["greatest"]

    func testAPartOfTheBatchIsASmallerGraph() throws {
        for (name, body) in bodies {
            let least = needRows.contains(name) ? 1 : 0
            let symbolic = try graph([SymbolicDimension("batch", least...9)], -1, body)
            let session = try Session(try Model(symbolic))
            defer { session.destroy() }
            for batch in [9, 0, 1, 4, 0, 9] where batch >= least {
                let x = TestTensor.make(.f32, [batch, 3, 4]) { Double(($0[0] * 31 + $0[1] * 7 + $0[2] * 5) % 23) }
                let fixed = try OperatorRun.run(
                    try Model(try graph([], batch, body)), [x], isa: InstructionSet.selected)
                try session.setDimension("batch", batch)
                try x.bytes.withUnsafeBytes { try session.setInput(0, $0) }
                try session.run()
                var found = [UInt8](repeating: 0xAA, count: fixed[0].bytes.count)
                try found.withUnsafeMutableBytes { try session.getOutput(0, $0) }
                XCTAssertEqual(found, fixed[0].bytes, "\(name), batch \(batch)")
            }
        }
    }

    func testWhatIsSmallerFitsTheWorkspaceOfWhatIsLarger() throws {
        let f32: (Shape) -> TensorType = { TensorType(.f32, $0) }
        let winograd = Conv2D(padding: .same, hasBias: false, algorithm: .winograd(tile: 4))
        for (height, width, most) in [(12, 20, 5), (8, 20, 7), (20, 52, 2)] {
            try shrinks(to: 1...most, winograd, [f32([-1, height, width, 16]), f32([3, 3, 16, 16])])
        }
        try shrinks(
            to: 190...200, DynamicDense(hasBias: false),
            [f32([-1, 64]), TensorType(.i8, [64, 16]), TensorType(.i32, [16]), f32([16])])
        let sequence = f32([1, -1, 16])
        try shrinks(to: 150...176, Attention(heads: 2, scale: 0.5), [sequence, sequence, sequence])
        try shrinks(to: 330...350, Attention(heads: 2, scale: 0.5), [sequence, sequence, sequence])
    }

    /// A session for the largest value of a dimension takes each value below.
    private func shrinks(to values: ClosedRange<Int>, _ op: Operator, _ types: [TensorType]) throws {
        let graph = Graph("shrinking")
        graph.dimensions = [SymbolicDimension("size", values)]
        let builder = GraphBuilder(graph, function: "predict")
        let inputs = try types.enumerated().map { try builder.input("x\($0)", $1) }
        let y = try builder.node(op, inputs)[0]
        var type = y.type
        for axis in 0..<types[0].shape.rank where types[0].shape[axis] == -1 { type.shape[axis] = -1 }
        builder.output("y", y, type: type)
        builder.finish()
        for threads in [1, 7] {
            var options = SessionOptions()
            options.threads = threads
            let session = try Session(try Model(graph), options)
            defer { session.destroy() }
            for value in values.reversed() {
                XCTAssertNoThrow(try session.setDimension("size", value), "\(op.name), \(value), \(threads) threads")
            }
        }
    }

    func testTheSizesOfAnotherSession() throws {
        let model = try Model(try graph([SymbolicDimension("batch", 1...9)], -1) { b, x in try b(.exp, x) })
        let source = try Session(model), copy = try Session(model)
        defer {
            source.destroy()
            copy.destroy()
        }
        try source.setDimension("batch", 4)
        try copy.copyDimensions(from: source)
        XCTAssertEqual(copy.dimensions, [4])
        XCTAssertEqual(try copy.type(.output, function: 0, 0).shape, [4, 3, 4])
        var options = SessionOptions()
        options.dimensionLimits = [("batch", 3)]
        let small = try Session(model, options)
        defer { small.destroy() }
        XCTAssertFails(.badShape, "'batch' of 4, wanted 1 ... 3") { try small.copyDimensions(from: source) }
        XCTAssertEqual(small.dimensions, [3])
    }

    private func graph(_ dimensions: [SymbolicDimension], _ batch: Int, _ body: Body) throws -> Graph {
        let graph = Graph("symbolic")
        graph.dimensions = dimensions
        let builder = GraphBuilder(graph, function: "predict")
        let x = try builder.input("x0", TensorType(.f32, [batch, 3, 4]))
        let y = try body(builder, x)
        var type = y.type
        // Declares the output's extents by what they are at batch 9 and at batch 8.
        if !dimensions.isEmpty {
            let other = Graph("other")
            let second = GraphBuilder(other, function: "predict")
            let smaller = try body(second, try second.input("x0", TensorType(.f32, [8, 3, 4]))).shape
            for axis in 0..<type.shape.rank where smaller[axis] != type.shape[axis] { type.shape[axis] = -1 }
        }
        builder.output("y0", y, type: type)
        builder.finish()
        return graph
    }
}
