import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// What is done to a real graph before it is quantized.
final class StepsBeforehandTests: XCTestCase {
    /// A convolution, a depthwise one and a pointwise one. The first makes some channels 40 times larger than others, the second
    /// takes that back.
    private func chain() throws -> Graph {
        var f = PassFixture()
        let x = try f.input("x", [9, 9, 4])
        func weights(_ name: String, _ shape: [Int], _ size: (Int) -> Float = { _ in 1 }) throws -> Value {
            var random = Philox(seed: UInt64(name.utf8.reduce(0) { $0 + Int($1) }))
            let values = (0..<shape.reduce(1, *)).map { i in
                Float(random.normal()) * size(i % shape.last!)
            }
            return f.constant(name, try Tensor(values, shape: shape))
        }
        let first = try f.builder.node(
            ApusGraph.Conv2D(hasBias: true, activation: .relu),
            [x, try weights("first/w", [3, 3, 4, 8]) { $0 % 3 == 0 ? 4 : 0.1 }, try f.constant("first/b", [8], in: -0.1...0.1)], name: "first")[0]
        let depthwise = try f.builder.node(
            ApusGraph.Conv2D(groups: 8, hasBias: false, activation: .relu), [first, try weights("depthwise/w", [3, 3, 1, 8]) { $0 % 3 == 0 ? 0.25 : 10 }], name: "depthwise")[0]
        let last = try f.builder.node(
            ApusGraph.Conv2D(hasBias: false), [depthwise, try weights("last/w", [1, 1, 8, 5])], name: "last")[0]
        f.finish(last)
        return f.graph
    }

    /// A layer norm with an outlying channel, read by two dense layers with small weights for it.
    private func block() throws -> Graph {
        var f = PassFixture()
        let x = try f.input("x", [6, 16])
        var gamma = [Float](repeating: 1, count: 16)
        gamma[3] = 60
        let norm = try f.builder.node(
            ApusGraph.LayerNorm(axes: 1, epsilon: 1e-5),
            [x, f.constant("gamma", try Tensor(gamma, shape: [16])), try f.constant("beta", [16])], name: "norm")[0]
        func dense(_ name: String, seed: UInt64) throws -> Value {
            var random = Philox(seed: seed)
            let values = (0..<16 * 12).map { Float(random.normal()) / ($0 / 12 == 3 ? 60 : 1) }
            let weights = f.constant("\(name)/w", try Tensor(values, shape: [16, 12]))
            return try f.builder.node(ApusGraph.Dense(hasBias: false), [norm, weights], name: name)[0]
        }
        f.finish(try dense("query", seed: 1), try dense("key", seed: 2))
        return f.graph
    }

    private func samples(_ graph: Graph, _ count: Int) throws -> [[Tensor]] {
        try (0..<count).map { try Goldens.randomInputs(of: graph, function: 0, dimensions: [1], seed: UInt64($0)) }
    }

    /// The quantizer of a graph after calibration, and the signal to noise of its outputs in dB.
    private func measured(_ graph: Graph, _ options: QuantizationOptions) throws -> (Quantizer, Double) {
        var quantizer = try Quantizer(graph, options)
        for sample in try samples(graph, 16) { try quantizer.observe(sample) }
        if quantizer.needsSmoothing {
            try quantizer.smooth()
            for sample in try samples(graph, 16) { try quantizer.observe(sample) }
        }
        let report = try QuantizationReport(quantizer, try quantizer.quantized(), samples: try samples(graph, 32))
        return (quantizer, try XCTUnwrap(report.outputNoise))
    }

    private func expectSameFunction(_ a: Graph, _ b: Graph) throws {
        let first = try Runner(a, threads: 1), second = try Runner(b, threads: 1)
        for sample in try samples(a, 4) {
            let wanted = try first.run(sample)[0].doubles(), found = try second.run(sample)[0].doubles()
            let largest = wanted.map { abs($0) }.max()!
            for (x, y) in zip(wanted, found) { XCTAssertEqual(x, y, accuracy: 1e-5 * largest) }
        }
    }

    func testEqualizationKeepsTheFunctionAndLosesLess() throws {
        var options = QuantizationOptions(method: .minmax)
        let (_, before) = try measured(try chain(), options)
        options.equalizes = true
        let (quantizer, after) = try measured(try chain(), options)
        XCTAssertEqual(quantizer.steps.map { $0.name }, ["equalize"])
        XCTAssertEqual(quantizer.steps[0].nodes, ["depthwise", "first"])
        XCTAssertGreaterThan(after, before + 3)
        try expectSameFunction(try chain(), quantizer.real)
    }

    func testSmoothingKeepsTheFunctionAndLosesLess() throws {
        var options = QuantizationOptions(method: .minmax)
        let (_, before) = try measured(try block(), options)
        options.smoothing = 0.5
        let (quantizer, after) = try measured(try block(), options)
        XCTAssertEqual(quantizer.steps[0].nodes, ["norm"])
        XCTAssertGreaterThan(after, before + 3)
        try expectSameFunction(try block(), quantizer.real)
    }

    /// With few codes for weights that all round the same way, the mean of the outputs moves; corrected, it does not.
    func testBiasCorrectionTakesTheDriftAway() throws {
        let f = PassFixture()
        let x = try f.input("x", [64])
        // All but one weight of a column lie at 0.4 of a step, and are lost.
        let values = (0..<64 * 3).map { Float($0 / 3 == 0 ? 127 : 0.4) }
        let sum = try f.builder.node(
            ApusGraph.Dense(hasBias: false), [x, f.constant("w", try Tensor(values, shape: [64, 3]))], name: "sum")[0]
        f.finish(sum)
        let data = try (0..<32).map { seed in
            var random = Philox(seed: UInt64(seed))
            return [try Tensor((0..<64).map { $0 == 0 ? 0 : 1 + random.uniform() }, shape: [1, 64])]
        }
        func drift(_ corrects: Bool) throws -> Double {
            var options = QuantizationOptions(method: .minmax)
            options.correctsBias = corrects
            let quantizer = try Quantizer(f.graph, options)
            for sample in data { try quantizer.observe(sample) }
            let real = try Runner(quantizer.real, threads: 1), integers = try Runner(try quantizer.quantized(), threads: 1)
            var sum = 0.0
            for sample in data {
                sum += try integers.run(sample)[0].doubles()[0] - real.run(sample)[0].doubles()[0]
            }
            return abs(sum) / Double(data.count)
        }
        XCTAssertGreaterThan(try drift(false), 30)
        XCTAssertLessThan(try drift(true), 1)
    }
}
