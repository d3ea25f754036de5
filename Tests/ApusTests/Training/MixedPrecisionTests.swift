import ApusGraph
import ApusRuntime
import CKernels
import XCTest

@testable import Apus

/// Training whose products round their operands to bf16.
final class MixedPrecisionTests: XCTestCase {
    /// Products of all orders and of extents that fill no tile, on each instruction set: the bits of ck_mixed.h's formula.
    func testProductsAreTheContractsToTheBit() throws {
        var random = Philox(seed: 12)
        func tensor(_ shape: [Int]) -> TestTensor {
            TestTensor(.f32, shape, (0..<shape.reduce(1, *)).map { _ in Double(Float(random.normal())) })
        }
        for (batch, m, k, n) in [(1, 1, 1, 1), (1, 33, 65, 130), (3, 17, 32, 16), (2, 5, 40, 3)] {
            for (turnA, turnB) in [(false, false), (true, false), (false, true), (true, true)] {
                let a = tensor(turnA ? [batch, k, m] : [batch, m, k]), b = tensor(turnB ? [batch, n, k] : [batch, k, n])
                let wanted = TestTensor.make(.f32, [batch, m, n]) { at in
                    sum(k) { (turnA ? a[[at[0], $0, at[1]]] : a[[at[0], at[1], $0]],
                              turnB ? b[[at[0], at[2], $0]] : b[[at[0], $0, at[2]]]) }
                }
                try check(MatMul(transposeA: turnA, transposeB: turnB), [a, b], wanted)
            }
            let x = tensor([batch, m, k]), w = tensor([k, n]), bias = tensor([n]), dy = tensor([batch, m, n])
            try check(ApusGraph.Dense(), [x, w, bias], .make(.f32, [batch, m, n]) { at in
                sum(k, from: bias[[at[2]]]) { (x[[at[0], at[1], $0]], w[[$0, at[2]]]) }
            })
            try check(DenseWeightGradient(), [x, dy], .make(.f32, [k, n]) { at in
                sum(batch * m) { (x[[$0 / m, $0 % m, at[0]]], dy[[$0 / m, $0 % m, at[1]]]) }
            })
        }
    }

    /// Without numbers there is nothing to sum, and no row is nothing to write.
    func testEmptyExtents() throws {
        try check(MatMul(), [TestTensor(.f32, [2, 0], []), TestTensor(.f32, [0, 3], [])], TestTensor(.f32, [2, 3], [Double](repeating: 0, count: 6)))
        try check(MatMul(), [TestTensor(.f32, [0, 4], []), TestTensor(.f32, [4, 0], [])], TestTensor(.f32, [0, 0], []))
    }

    func testRoundingKeepsWhatIsNoNumber() throws {
        let x = TestTensor(.f32, [1, 4], [.nan, .infinity, -.infinity, 3.4e38]), one = TestTensor(.f32, [1, 1], [1])
        let graph = try OperatorRun.graph(MatMul(transposeA: true), [x, one])
        graph.mixedPrecision = true
        for isa in OperatorRun.instructionSets {
            let y = try OperatorRun.run(try Model(graph), [x, one], isa: isa)[0].values
            XCTAssertTrue(y[0].isNaN)
            XCTAssertEqual(y.dropFirst(), [.infinity, -.infinity, .infinity], "what is nearer to 2¹²⁸ rounds to infinity")
        }
    }

    /// A transformer learns as it does in f32, with other bits, and the same on any number of threads.
    func testTrainingIsCloseToF32AndTheSameOnAllThreads() throws {
        func trained(_ precision: ComputePrecision, threads: Int) throws -> (losses: [Double], states: [[UInt8]]) {
            let network = try ModelLibrary.gpt(vocabulary: 12, context: 16, width: 32, heads: 2, layers: 2, seed: 5)
            let trainer = try Trainer(
                network, loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: Adam(), batchSize: 8,
                threads: threads, precision: precision)
            /// Each of eight sequences counts by a step of its own, modulo 12.
            func rows(from first: Int) throws -> Tensor {
                var tokens: [Int32] = []
                for row in 0..<8 {
                    for i in 0..<16 { tokens.append(Int32((5 * row + (first + i) * (row + 1)) % 12)) }
                }
                return try Tensor(tokens, shape: [8, 16])
            }
            let batch = try Dataset(inputs: rows(from: 0), targets: rows(from: 1)).batches(size: 8).batch(at: 0)
            var losses: [Double] = []
            for _ in 0..<60 { losses.append(try trainer.step(batch)) }
            return (losses, trainer.copyStates())
        }
        let f32 = try trained(.f32, threads: 1), mixed = try trained(.mixedBF16, threads: 1)
        XCTAssertNotEqual(f32.states, mixed.states)
        XCTAssertEqual(try trained(.mixedBF16, threads: 2).states, mixed.states)
        XCTAssertLessThan(f32.losses.last!, 0.6 * f32.losses[0])
        for (a, b) in zip(f32.losses, mixed.losses) { XCTAssertEqual(a, b, accuracy: 0.02 * f32.losses[0]) }
    }

    func testAQuantizationAwareNetworkTrainsInF32() throws {
        let network = try SmallTraining.network()
        try network.quantizationAware(.int8)
        XCTAssertThrowsError(
            try Trainer(
                network, loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: Adam(), precision: .mixedBF16)
        ) { XCTAssertEqual("\($0)", "precision bf16 of a quantization-aware network, wanted f32") }
    }

    // MARK: Parts

    /// The sum over k of products of bf16, as ck_mixed.h orders it.
    private func sum(_ k: Int, from start: Double = 0, _ factors: (Int) -> (Double, Double)) -> Double {
        var total = Float(start)
        for block in stride(from: 0, to: k, by: Int(CK_MIXED_DEPTH)) {
            var parts: [Float] = [0, 0]
            for i in block..<min(k, block + Int(CK_MIXED_DEPTH)) {
                let (x, y) = factors(i)
                parts[i % 2].addProduct(rounded(x), rounded(y))
            }
            total += parts[0] + parts[1]
        }
        return Double(total)
    }

    /// The nearest number of 8 bits of mantissa, of two the even one.
    private func rounded(_ x: Double) -> Float {
        guard x != 0 else { return 0 }
        let unit = Double(sign: .plus, exponent: x.exponent - 7, significand: 1)
        return Float((x / unit).rounded(.toNearestOrEven) * unit)
    }

    private func check(
        _ op: ApusGraph.Operator, _ inputs: [TestTensor], _ wanted: TestTensor, line: UInt = #line
    ) throws {
        let graph = try OperatorRun.graph(op, inputs)
        graph.mixedPrecision = true
        let model = try Model(graph)
        for isa in OperatorRun.instructionSets {
            for threads in [1, 2] {
                let found = try OperatorRun.run(model, inputs, isa: isa, threads: threads)[0]
                XCTAssertEqual(found.shape, wanted.shape, line: line)
                XCTAssertEqual(
                    found.values.map(Float.init), wanted.values.map(Float.init),
                    "\(op.name) \(inputs.map { $0.shape }) on \(InstructionSet.name(isa))", line: line)
            }
        }
    }
}
