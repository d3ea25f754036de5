import ApusGraph
import ApusRuntime
import CKernels
import XCTest

/// A max pool of 2 × 2 that alone reads a convolution: pixels outside its windows are not computed, and on some instruction sets
/// the convolution gives the maxima alone.
final class PooledConvolutionTests: XCTestCase {
    private struct Pair {
        let name: String
        let op: Operator
        let operands: [TestTensor]
        var pool = MaxPool(kernel: 2)
        /// Whether AVX-512 gives the maxima alone; with integers only VNNI does, to which AMX leaves sums of fewer than 36 products.
        var isOne = true
        var isInteger = false

        var products: Int { operands[1].shape.dropLast().reduce(1, *) }
    }

    private var random = TestRandom(11)

    private func real(
        _ name: String, _ x: [Int], _ w: [Int], _ op: Conv2D, pool: MaxPool = MaxPool(kernel: 2), isOne: Bool = true
    ) -> Pair {
        var image = TestInput.real(x).tensor(&random)
        for i in image.values.indices where i % 61 == 7 { image.values[i] = -0.0 }
        for (i, odd) in [Double.nan, .infinity, -.infinity].enumerated() { image.values[(i * 977 + 5) % image.count] = odd }
        var operands = [image, TestInput.real(w).tensor(&random)]
        if op.hasBias { operands.append(TestInput.real([w[3]]).tensor(&random)) }
        return Pair(name: name, op: op, operands: operands, pool: pool, isOne: isOne)
    }

    private func codes(
        _ name: String, _ x: [Int], _ w: [Int], strides: Size2D = 1, dilations: Size2D = 1, padding: Padding = .valid, groups: Int = 1,
        output: CodeScale? = CodeScale(scale: 0.04, zeroPoint: 3), isOne: Bool = true
    ) -> Pair {
        let depth = w.dropLast().reduce(1, *)
        func numbers(_ dtype: DType, _ shape: [Int], _ range: ClosedRange<Int>, scale: Double = 1) -> TestTensor {
            TestTensor.make(dtype, shape) { _ in Double(Int.random(in: range, using: &random)) * scale }
        }
        var image = numbers(.i8, x, -128...127)
        image.quantization = CodeScale(scale: 0.02, zeroPoint: -5).quantization
        // Multipliers of either sign: a code falls or rises with its sum.
        let m = numbers(.f32, [w[3]], -20...40, scale: Double(Float(1 / (Float(depth).squareRoot() * 8000))))
        return Pair(
            name: name,
            op: QuantizedConv2D(strides: strides, dilations: dilations, padding: padding, groups: groups, output: output),
            operands: [image, numbers(.i8, w, -128...127), numbers(.i32, [w[3]], -90_000...90_000), m], isOne: isOne, isInteger: true)
    }

    private func pairs() -> [Pair] {
        let winograd = ConvolutionAlgorithm.winograd(tile: 4)
        return [
            real("one channel", [2, 12, 11, 1], [3, 3, 1, 33], Conv2D(activation: .relu)),
            real("three channels, same", [1, 9, 18, 3], [3, 3, 3, 16], Conv2D(padding: .same, activation: .relu6)),
            real("tiles that end early", [2, 8, 8, 1], [3, 3, 1, 16], Conv2D(padding: .same, activation: .relu)),
            real("tiles that end early, 16 channels", [2, 8, 8, 16], [3, 3, 16, 24], Conv2D(padding: .same)),
            real("many channels", [1, 6, 30, 40], [3, 2, 40, 70], Conv2D(padding: .same, activation: .clip(minimum: -0.5, maximum: 0.75))),
            real("strided, dilated", [2, 23, 21, 5], [3, 3, 5, 12], Conv2D(strides: 2, dilations: Size2D(1, 3), padding: .same)),
            real("groups", [1, 8, 8, 6], [3, 3, 3, 34], Conv2D(padding: .same, groups: 2, hasBias: false)),
            real("winograd", [2, 13, 15, 16], [3, 3, 16, 70], Conv2D(activation: .relu, algorithm: winograd)),
            real("winograd, same", [1, 10, 6, 9], [3, 3, 9, 8], Conv2D(padding: .same, hasBias: false, algorithm: winograd)),
            real(
                "winograd of 2 × 2", [1, 8, 9, 8], [3, 3, 8, 16], Conv2D(activation: .relu, algorithm: .winograd(tile: 2)), isOne: false),
            real("pointwise", [2, 7, 9, 8], [1, 1, 8, 24], Conv2D(activation: .relu), isOne: false),
            real("depthwise", [1, 9, 9, 20], [3, 3, 1, 20], Conv2D(padding: .same, groups: 20), isOne: false),
            real("other activation", [1, 9, 9, 4], [3, 3, 4, 20], Conv2D(activation: .silu), isOne: false),
            codes("codes, one channel", [2, 12, 11, 1], [3, 3, 1, 33]),
            codes("codes, three channels, same", [1, 33, 37, 3], [3, 3, 3, 16], padding: .same),
            codes("codes, many channels", [1, 11, 71, 32], [3, 3, 32, 90], padding: .explicit(top: 1, left: 2, bottom: 0, right: 1)),
            codes("codes, strided, dilated", [2, 23, 21, 5], [3, 3, 5, 12], strides: 2, dilations: Size2D(1, 3), padding: .same),
            codes("codes, groups", [1, 8, 8, 6], [3, 3, 3, 34], padding: .same, groups: 2),
            codes("codes, many lines", [1, 40, 20, 16], [3, 3, 16, 48], padding: .same),
            codes("codes, pointwise", [2, 7, 9, 8], [1, 1, 8, 24]),
            codes("codes, depthwise", [1, 9, 9, 20], [3, 3, 1, 20], padding: .same, groups: 20, isOne: false),
        ]
    }

    /// What is between is in memory where it is an output too.
    func testBitsAreThoseOfTheWhole() throws {
        for pair in pairs() {
            let model = try Model(try graph(pair)), whole = try Model(try graph(pair, outputsAll: true))
            for isa in OperatorRun.instructionSets {
                let wanted = try OperatorRun.run(whole, pair.operands, isa: isa)[0]
                for threads in [1, 3] {
                    let found = try OperatorRun.run(model, pair.operands, isa: isa, threads: threads)[0]
                    let other = found.values.indices.first { found.values[$0].bitPattern != wanted.values[$0].bitPattern }
                    XCTAssertNil(
                        other.map { ($0, found.values[$0], wanted.values[$0]) },
                        "\(pair.name) on \(InstructionSet.name(isa)), \(threads) threads")
                }
                let byVNNI = isa == CK_ISA_AVX512_VNNI || isa == CK_ISA_AVX512_AMX && pair.products < 36
                let gives = pair.isOne && (pair.isInteger ? byVNNI : ck_isa_base(isa) == CK_ISA_AVX512)
                let saved = try plan(whole, isa).steps.count - plan(model, isa).steps.count
                XCTAssertEqual(saved, gives ? 1 : 0, "\(pair.name) on \(InstructionSet.name(isa))")
            }
        }
    }

    /// Convolutions of any geometry, in reals and in codes.
    func testAnyConvolution() throws {
        func pick<T>(_ values: [T]) -> T { values.randomElement(using: &random)! }
        var computed = 0
        for number in 0..<200 {
            let kernel = [pick([1, 2, 3, 3, 5]), pick([1, 2, 3, 3, 5])], groups = pick([1, 1, 1, 2])
            let strides = Size2D(pick([1, 1, 2]), pick([1, 1, 2])), dilations = Size2D(pick([1, 1, 2]), pick([1, 1, 2]))
            let x = [pick([1, 2, 3]), pick(Array(2...24)), pick(Array(2...40)), groups * pick([1, 2, 3, 5, 8, 16, 17, 33])]
            let w = kernel + [x[3] / groups, groups * pick([1, 8, 16, 17, 32, 40, 70])]
            func pads(_ n: Int) -> Int { Int.random(in: 0...n, using: &random) }
            let padding = pick([
                .valid, .same, Padding.explicit(top: pads(3), left: pads(3), bottom: pads(3), right: pads(3)),
            ])
            let isPlain = kernel == [3, 3] && strides == 1 && dilations == 1 && groups == 1
            let algorithm = isPlain ? pick([.direct, .winograd(tile: 4), .winograd(tile: 4)]) : ConvolutionAlgorithm.direct
            let activation = pick([.none, .relu, .relu6, Activation.clip(minimum: -0.5, maximum: 0.75)])
            let pair = number % 3 == 2
                ? codes("codes \(x) \(w)", x, w, strides: strides, dilations: dilations, padding: padding, groups: groups)
                : real(
                    "\(x) \(w)", x, w,
                    Conv2D(
                        strides: strides, dilations: dilations, padding: padding, groups: groups, hasBias: pick([true, false]),
                        activation: activation, algorithm: algorithm))
            guard let built = try? graph(pair), let whole = try? graph(pair, outputsAll: true) else { continue } // no window fits
            let wanted = try OperatorRun.run(try Model(whole), pair.operands, isa: InstructionSet.selected)[0]
            let found = try OperatorRun.run(try Model(built), pair.operands, isa: InstructionSet.selected, threads: 1 + number % 3)[0]
            computed += 1
            let other = found.values.indices.first { found.values[$0].bitPattern != wanted.values[$0].bitPattern }
            XCTAssertNil(
                other.map { ($0, found.values[$0], wanted.values[$0]) },
                "\(pair.name), \(strides), \(dilations), \(padding), \(algorithm.name)")
        }
        XCTAssertGreaterThan(computed, 100)
    }

    func testPixelsOutsideTheWindowsAreNotComputed() throws {
        for pair in [
            real("reals", [1, 15, 15, 8], [3, 3, 8, 16], Conv2D()), codes("codes", [1, 15, 15, 8], [3, 3, 8, 16]),
        ] {
            let w = pair.operands[1], maxima = 6 * 6 * w.shape[3], products = 2 * 4 * maxima * w.count / w.shape[3]
            let steps = try plan(try Model(try graph(pair)), InstructionSet.selected).steps
            XCTAssertEqual(steps.map(\.operations).reduce(0, +), products + 4 * maxima, pair.name)
        }
    }

    func testOtherPoolsStayAsTheyAre() throws {
        let image = [1, 13, 13, 4], window = [3, 3, 4, 16]
        for pool in [
            MaxPool(kernel: 3), MaxPool(kernel: 2, strides: 1), MaxPool(kernel: 2, padding: .same),
            MaxPool(kernel: 2, padding: .explicit(top: 1, left: 0, bottom: 0, right: 1)),
        ] {
            let pair = real("other pool", image, window, Conv2D(activation: .relu), pool: pool)
            let model = try Model(try graph(pair)), whole = try Model(try graph(pair, outputsAll: true))
            let plans = try [plan(model, InstructionSet.selected), plan(whole, InstructionSet.selected)]
            XCTAssertEqual(plans[0].steps.map(\.operations), plans[1].steps.map(\.operations), "\(pool.kernel)")
            let wanted = try OperatorRun.run(whole, pair.operands, isa: InstructionSet.selected)[0]
            XCTAssertEqual(try OperatorRun.run(model, pair.operands, isa: InstructionSet.selected)[0].bytes, wanted.bytes)
        }
    }

    func testABatchThatIsASymbol() throws {
        for pair in [
            real("direct", [3, 17, 17, 3], [3, 3, 3, 20], Conv2D(activation: .relu)),
            real("winograd", [3, 17, 17, 8], [3, 3, 8, 20], Conv2D(activation: .relu, algorithm: .winograd(tile: 4))),
            codes("codes", [3, 17, 17, 3], [3, 3, 3, 20]),
            codes("codes, few pixels", [3, 5, 5, 8], [3, 3, 8, 20]),
        ] {
            let model = try Model(try graph(pair, symbolic: true))
            var options = SessionOptions()
            options.threads = 2
            let session = try Session(model, options)
            defer { session.destroy() }
            for batch in [3, 1, 2] {
                let now = Pair(name: pair.name, op: pair.op, operands: [first(batch, of: pair.operands[0])] + pair.operands.dropFirst())
                let wanted = try OperatorRun.run(
                    try Model(try graph(now, outputsAll: true)), now.operands, isa: InstructionSet.selected)[0]
                try session.setDimension("batch", batch)
                for (i, input) in now.operands.enumerated() { try input.bytes.withUnsafeBytes { try session.setInput(i, $0) } }
                try session.run()
                var found = [UInt8](repeating: 0xAA, count: wanted.bytes.count)
                try found.withUnsafeMutableBytes { try session.getOutput(0, $0) }
                XCTAssertEqual(found, wanted.bytes, "\(pair.name), \(batch) images")
            }
        }
    }

    // MARK: Graphs

    private func plan(_ model: Model, _ isa: ck_isa) throws -> Plan {
        try Plan(model.valid, function: 0, PlanOptions(limits: model.graph.dimensions.map { $0.maximum }, isa: isa, lanes: 1))
    }

    private func first(_ images: Int, of x: TestTensor) -> TestTensor {
        var part = TestTensor.make(x.dtype, [images] + x.shape.dropFirst()) { x[$0] }
        part.quantization = x.quantization
        return part
    }

    private func graph(_ pair: Pair, outputsAll: Bool = false, symbolic: Bool = false) throws -> Graph {
        let graph = Graph("pooled")
        if symbolic { graph.dimensions = [SymbolicDimension("batch", 1...3)] }
        let builder = GraphBuilder(graph, function: "predict")
        var values: [Value] = []
        for (i, tensor) in pair.operands.enumerated() {
            let type = tensor.type
            values.append(try builder.input("x\(i)", symbolic && i == 0 ? type.moved(to: type.shape.replacing(0, with: -1)) : type))
        }
        let image = try builder.node(pair.op, values)[0]
        builder.output("y0", try builder.node(pair.pool, [image])[0])
        if outputsAll { builder.output("y1", image) }
        builder.finish()
        return graph
    }
}
