import ApusGraph
import ApusRuntime
import CKernels
import XCTest

@testable import Apus

/// Products with large weights that a step updates: sums by halves of k, whatever the instruction set and the threads, where
/// there are few rows; and as everywhere else where there are many, in the same session.
final class HalvedProductTests: XCTestCase {
    func testSumsAreTakenByHalvesToTheBit() throws {
        for (k, n) in [(256, 128), (1024, 32), (514, 64), (514, 256)] {
            try check(.f32, k, n, updates: true) { Float($0) } fma: { $0.addingProduct($1, $2) }
        }
        try check(.f64, 256, 128, updates: true) { $0 } fma: { $0.addingProduct($1, $2) }
    }

    func testOthersAreNot() throws {
        for (k, n) in [(255, 128), (256, 120), (128, 128)] {
            try check(.f32, k, n, updates: true, halves: false) { Float($0) } fma: { $0.addingProduct($1, $2) }
        }
        try check(.f32, 256, 128, updates: false, halves: false) { Float($0) } fma: { $0.addingProduct($1, $2) }
    }

    /// y = relu(x·W + b + r) of one row more than are read plain, then of few.
    private func check<T: BinaryFloatingPoint>(
        _ dtype: DType, _ k: Int, _ n: Int, updates: Bool, halves: Bool = true, line: UInt = #line,
        _ number: @escaping (Double) -> T, fma: @escaping (T, T, T) -> T
    ) throws {
        var random = Philox(seed: 7)
        func tensor(_ shape: [Int]) -> TestTensor {
            TestTensor(dtype, shape, (0..<shape.reduce(1, *)).map { _ in Double(Float(random.normal())) })
        }
        let w = tensor([k, n]), b = tensor([n]), most = 129
        let x = tensor([most, k]), r = tensor([most, n])
        let model = try Model(try graph(w, b, most: most, updates: updates))
        let xs = x.values.map(number), ws = w.values.map(number)

        func chain(_ row: Int, _ column: Int, _ terms: Range<Int>) -> T {
            var sums: [T] = [0, 0]
            for i in terms {
                let chain = n <= 64 ? (i - terms.lowerBound) % 2 : 0
                sums[chain] = fma(sums[chain], xs[row * k + i], ws[i * n + column])
            }
            return sums[0] + sums[1]
        }
        for isa in OperatorRun.instructionSets {
            for threads in [1, 2, 3] {
                var options = SessionOptions()
                (options.isa, options.threads) = (isa, threads)
                let session = try Session(model, options)
                defer { session.destroy() }
                for rows in [most, 32, 5, 1] {
                    try session.setDimension("batch", rows)
                    try x.bytes.withUnsafeBytes { try session.setInput(function: 0, 0, .init(rebasing: $0[..<($0.count / most * rows)])) }
                    try r.bytes.withUnsafeBytes { try session.setInput(function: 0, 1, .init(rebasing: $0[..<($0.count / most * rows)])) }
                    session.resetStates()
                    try session.run()
                    var bytes = [UInt8](repeating: 0xAA, count: rows * n * dtype.bitWidth / 8)
                    try bytes.withUnsafeMutableBytes { try session.getOutput(function: 0, 0, $0) }
                    let found = TestTensor(TensorType(dtype, [rows, n]), bytes: bytes).values
                    for row in [0, rows / 2, rows - 1] {
                        for column in 0..<n {
                            let sum = halves && rows < most
                                ? chain(row, column, 0..<(k / 2)) + chain(row, column, (k / 2)..<k) : chain(row, column, 0..<k)
                            let wanted = max(0, sum + number(b.values[column]) + number(r.values[row * n + column]))
                            guard Double(wanted) != found[row * n + column] else { continue }
                            return XCTFail(
                                "\(dtype) [\(k), \(n)], \(InstructionSet.name(isa)), \(threads) threads, row \(row) of \(rows), "
                                    + "column \(column): \(found[row * n + column]), wanted \(wanted)", line: line)
                        }
                    }
                }
            }
        }
    }

    private func graph(_ w: TestTensor, _ b: TestTensor, most: Int, updates: Bool) throws -> Graph {
        let graph = Graph("step")
        graph.dimensions = [SymbolicDimension("batch", 1...most)]
        graph.states = [State("w", w.type, .weight, initial: Constant("w", w.type, HeapStorage(w.bytes)))]
        graph.constants = [Constant("b", b.type, HeapStorage(b.bytes))]
        let builder = GraphBuilder(graph, function: "train_step")
        let batch = { TensorType(w.dtype, Shape([-1, $0])) }
        let x = try builder.input("x", batch(w.shape[0])), r = try builder.input("r", batch(w.shape[1]))
        let y = try builder(Dense(hasResidual: true, activation: .relu), x, builder.state(0), builder.constant(0), r)
        builder.output("y", y, type: batch(w.shape[1]))
        if updates { try builder.update(state: 0, to: try builder(.neg, builder.state(0))) }
        builder.finish()
        return graph
    }
}
