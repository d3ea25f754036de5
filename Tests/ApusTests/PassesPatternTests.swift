import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// Patterns that exporters write one operator as: the operators before and after, and the same answers.
final class PassesPatternTests: XCTestCase {
    private typealias Body = (GraphBuilder, Value) throws -> Value

    private let activations: [(String, Activation, Body)] = [
        ("torch's GELU", .gelu, { b, x in
            let erf = try b(.erf, b(.div, x, b.scalar(2.0.squareRoot(), .f32)))
            return try b(.mul, b(.mul, x, b(.add, erf, b.scalar(1, .f32))), b.scalar(0.5, .f32))
        }),
        ("GELU, halved first", .gelu, { b, x in
            let half = try b(.mul, b.scalar(0.5, .f32), x)
            let erf = try b(.erf, b(.mul, b.scalar(0.5.squareRoot(), .f32), x))
            return try b(.mul, b(.add, b.scalar(1, .f32), erf), half)
        }),
        ("GELU by tanh", .geluTanh, { b, x in
            let cube = try b(.mul, b(.pow, x, b.scalar(3, .f32)), b.scalar(0.044715, .f32))
            let inner = try b(.mul, b(.add, x, cube), b.scalar((2 / Double.pi).squareRoot(), .f32))
            return try b(.mul, b(.mul, x, b.scalar(0.5, .f32)), b(.add, b(ActivationOperator(.tanh), inner), b.scalar(1, .f32)))
        }),
        ("SiLU", .silu, { b, x in try b(.mul, b(ActivationOperator(.sigmoid), x), x) }),
        ("HardSwish", .hardSwish, { b, x in
            let clipped = try b(ActivationOperator(.clip(minimum: 0, maximum: 6)), b(.add, x, b.scalar(3, .f32)))
            return try b(.div, b(.mul, x, clipped), b.scalar(6, .f32))
        }),
        ("HardSwish of ReLU6", .hardSwish, { b, x in
            let part = try b(.mul, b(ActivationOperator(.relu6), b(.add, b.scalar(3, .f32), x)), b.scalar(1.0 / 6, .f32))
            return try b(.mul, part, x)
        }),
        ("HardSwish of HardSigmoid", .hardSwish, { b, x in
            let line = try b(.add, b(.mul, x, b.scalar(1.0 / 6, .f32)), b.scalar(0.5, .f32))
            return try b(.mul, x, b(ActivationOperator(.clip(minimum: 0, maximum: 1)), line))
        }),
    ]

    func testRecognizeActivations() throws {
        for (name, activation, body) in activations {
            let f = PassFixture()
            let x = try f.input("x", [7])
            f.finish(try f.builder(.abs, try body(f.builder, try f.builder(.mul, x, try f.builder.scalar(3, .f32)))))
            XCTAssertEqual(try f.graph.check(recognizeActivationsPass, scaled: 1e-5), 1, name)
            XCTAssertEqual(f.graph.operations, ["Mul", ActivationOperator(activation).name, "Abs"], name)
        }
    }

    func testRecognizeActivationsLeavesOthers() throws {
        for (what, body) in [
            ("another factor", { b, x in
                try b(.mul, b(.mul, x, b(.add, b(.erf, b(.mul, x, b.scalar(0.5.squareRoot(), .f32))), b.scalar(1, .f32))), b.scalar(0.6, .f32))
            }),
            ("another gate", { b, x in try b(.mul, b(ActivationOperator(.sigmoid), b(.neg, x)), x) }),
            ("another bound", { b, x in
                let clipped = try b(ActivationOperator(.clip(minimum: 0, maximum: 5)), b(.add, x, b.scalar(3, .f32)))
                return try b(.div, b(.mul, x, clipped), b.scalar(6, .f32))
            }),
        ] as [(String, Body)] {
            let f = PassFixture()
            f.finish(try body(f.builder, try f.input("x", [7])))
            XCTAssertEqual(try f.graph.check(recognizeActivationsPass), 0, what)
        }
    }

    /// What a pattern is made of stays where something else reads it.
    func testRecognizeActivationsKeepsWhatIsRead() throws {
        let f = PassFixture()
        let x = try f.input("x", [3])
        let gate = try f.builder(ActivationOperator(.sigmoid), x)
        f.finish(try f.builder(.mul, x, gate), gate)
        XCTAssertEqual(try f.graph.check(recognizeActivationsPass, scaled: 1e-6), 1)
        XCTAssertEqual(f.graph.operations, ["Sigmoid", "Silu"])
    }

    private func layerNorm(_ f: inout PassFixture, _ x: Value, square: (GraphBuilder, Value) throws -> Value) throws -> Value {
        let b = f.builder
        let mean = try b(Reduction(.mean, axes: [-1], keepDimensions: true), x)
        let difference = try b(.sub, x, mean)
        let variance = try b(Reduction(.mean, axes: [2], keepDimensions: true), try square(b, difference))
        let root = try b(.sqrt, try b(.add, variance, try b.scalar(1e-5, .f32)))
        let scaled = try b(.mul, try b(.div, difference, root), try f.constant("gamma", [8]))
        return try b(.add, try f.constant("beta", [8]), scaled)
    }

    func testFuseLayerNorm() throws {
        for square in [{ b, x in try b(.pow, x, try b.scalar(2, .f32)) }, { b, x in try b(.mul, x, x) }, { b, x in try b(.square, x) }]
            as [(GraphBuilder, Value) throws -> Value]
        {
            var f = PassFixture()
            let x = try f.input("x", [3, 8])
            let y = try layerNorm(&f, try f.builder(.abs, x), square: square)
            f.finish(try f.builder(.exp, y), y)
            XCTAssertEqual(try f.graph.check(fuseLayerNormPass, scaled: 1e-5), 1)
            XCTAssertEqual(f.graph.operations, ["Abs", "LayerNorm", "Exp"])
        }
    }

    func testFuseRmsNorm() throws {
        let normalizations: [(String, (GraphBuilder, Value, Value) throws -> Value)] = [
            ("x / root", { b, x, root in try b(.div, x, root) }),
            ("x · reciprocal", { b, x, root in try b(.mul, x, try b(.reciprocal, root)) }),
            ("(1 / root) · x", { b, x, root in try b(.mul, try b(.div, try b.scalar(1, .f32), root), x) }),
        ]
        for (what, normalized) in normalizations {
            for epsilon in [1e-6, 0] {
                var f = PassFixture()
                let b = f.builder, x = try b(.abs, try f.input("x", [3, 8]))
                let mean = try b(Reduction(.mean, axes: [-1], keepDimensions: true), try b(.pow, x, try b.scalar(2, .f32)))
                let root = try b(.sqrt, try b(.add, mean, try b.scalar(epsilon, .f32)))
                let y = try b(.mul, try f.constant("gamma", [1, 1, 8]), try normalized(b, x, root))
                f.finish(try b(.exp, y), y)
                // The operator has no ε of 0.
                XCTAssertEqual(try f.graph.check(fuseRmsNormPass, scaled: 1e-5), epsilon > 0 ? 1 : 0, what)
                if epsilon > 0 { XCTAssertEqual(f.graph.operations, ["Abs", "RmsNorm", "Exp"], what) }
            }
        }
    }

    func testFuseRmsNormLeavesOtherAxes() throws {
        var f = PassFixture()
        let b = f.builder, x = try f.input("x", [8, 8])
        let mean = try b(Reduction(.mean, axes: [1], keepDimensions: true), try b(.square, x))
        let root = try b(.sqrt, try b(.add, mean, try b.scalar(1e-6, .f32)))
        f.finish(try b(.mul, try b(.div, x, root), try f.constant("gamma", [8])))
        XCTAssertEqual(try f.graph.check(fuseRmsNormPass), 0)
    }

    /// softmax(scale·Q·Kᵀ [+ mask])·V of `heads` heads; `split`: half of the scale goes to Q, half to K.
    private func attention(
        _ b: GraphBuilder, _ x: [Value], heads: Int, mask: Value? = nil, split: Bool, transposeB: Bool
    ) throws -> Value {
        func parts(_ x: Value, _ permutation: [Int]) throws -> Value {
            try b(Transpose(permutation), try b(ApusGraph.Reshape([0, 0, heads, -1]), x))
        }
        var q = try parts(x[0], [0, 2, 1, 3]), k = try parts(x[1], transposeB ? [0, 2, 1, 3] : [0, 2, 3, 1])
        if split {
            q = try b(.mul, q, try b.scalar(0.5, .f32))
            k = try b(.mul, k, try b.scalar(0.5, .f32))
        }
        var scores = try b(MatMul(transposeB: transposeB), q, k)
        if !split { scores = try b(.div, scores, try b.scalar(4, .f32)) }
        if let mask { scores = try b(.add, scores, mask) }
        let y = try b(MatMul(), try b(ApusGraph.Softmax(), scores), try parts(x[2], [0, 2, 1, 3]))
        return try b(ApusGraph.Reshape([0, 0, -1]), try b(Transpose([0, 2, 1, 3]), y))
    }

    func testFuseAttention() throws {
        for (split, transposeB, masked) in [(true, false, false), (false, true, true), (false, false, false)] {
            let f = PassFixture()
            let x = try (0..<3).map { try f.input("x\($0)", [5, 12]) }
            let mask = masked ? try f.input("mask", [1, 1, 5]) : nil
            f.finish(try attention(f.builder, x, heads: 3, mask: mask, split: split, transposeB: transposeB))
            XCTAssertEqual(try f.graph.check(fuseAttentionPass, scaled: 1e-5), 1)
            XCTAssertEqual(f.graph.operations, ["Attention"])
        }
    }

    /// Heads that other nodes make, as rotary positions do, keys and values that are repeated for two heads each, keys
    /// transposed in three dimensions, and weights of 0 for queries that see no key.
    func testFuseAttentionOfHeads() throws {
        for (flat, guarded) in [(false, false), (true, true), (false, true)] {
            let f = PassFixture(batch: 16)
            let b = f.builder, x = try f.input("x", [2, 16]), memory = try f.input("memory", [2, 8])
            let seen = try f.input("seen", [1, 1, 2])
            func heads(_ x: Value, _ count: Int) throws -> Value {
                try b(Transpose([0, 2, 1, 3]), try b(ApusGraph.Reshape([0, 0, count, 4]), x))
            }
            func repeated(_ x: Value) throws -> Value {
                let one = try b(ApusGraph.Reshape([0, 2, 1, 2, 4]), x)
                return try b(ApusGraph.Reshape([0, 4, 2, 4]), try b(Expand([0, 0, 2, 0, 0]), one))
            }
            let q = try b(.neg, try heads(x, 4)), v = try repeated(try heads(memory, 2))
            var k = try repeated(try b(.neg, try heads(memory, 2)))
            if flat {
                let columns = try b(Transpose([0, 2, 1]), try b(ApusGraph.Reshape([-1, 2, 4]), k))
                k = try b(ApusGraph.Reshape([-1, 4, 4, 2]), columns)
            } else {
                k = try b(Transpose([0, 1, 3, 2]), k)
            }
            // −∞ for negative elements of the input.
            let mask = try b(.log, try b(ActivationOperator(.relu), seen))
            let scores = try b(.add, try b(MatMul(), q, k), guarded ? mask : try b(.exp, mask))
            var weights = try b(ApusGraph.Softmax(), scores)
            if guarded {
                let isNaN = try b(.not, try b(.equal, weights, weights))
                weights = try b(Where(), isNaN, try b.scalar(0, .f32), weights)
            }
            let y = try b(Transpose([0, 2, 1, 3]), try b(MatMul(), weights, v))
            f.finish(try b(ApusGraph.Reshape([0, 0, -1]), y))
            XCTAssertEqual(try f.graph.check(fuseAttentionPass, scaled: 1e-5), 1)
            let attention = try XCTUnwrap(f.graph.functions[0].nodes.compactMap { $0.op as? Attention }.first)
            XCTAssertEqual([attention.heads, attention.keyValueHeads], [4, 2])
            XCTAssertFalse(f.graph.operations.contains("Expand"))
            let answer = try f.graph.answers()[1][0].array(of: Float.self)
            XCTAssertEqual(answer.contains(0), guarded, "a query that sees no key")
        }
    }

    /// Which queries see a key differs by head.
    func testFuseAttentionLeavesGuardedHeads() throws {
        let f = PassFixture()
        let b = f.builder, x = try f.input("x", [2, 8]), mask = try f.input("mask", [2, 2, 2])
        let parts = try b(Transpose([0, 2, 1, 3]), try b(ApusGraph.Reshape([0, 0, 2, 4]), x))
        let scores = try b(.add, try b(MatMul(transposeB: true), parts, parts), mask)
        let weights = try b(ApusGraph.Softmax(), scores), isNaN = try b(.not, try b(.equal, weights, weights))
        let known = try b(Where(), isNaN, try b.scalar(0, .f32), weights)
        f.finish(try b(ApusGraph.Reshape([0, 0, -1]), try b(Transpose([0, 2, 1, 3]), try b(MatMul(), known, parts))))
        XCTAssertEqual(try f.graph.check(fuseAttentionPass), 0)
    }

    /// Queries, keys and values of one product [N, T, 3, heads, size], cut after a transpose; a bias of heads.
    func testFuseAttentionOfPackedHeads() throws {
        for (batch, masked) in [(4, false), (1, false), (4, true)] {
            var f = PassFixture(batch: batch)
            let b = f.builder, x = try f.input("x", [5, 36])
            let whole = try b(Transpose([2, 0, 3, 1, 4]), try b(ApusGraph.Reshape([0, 5, 3, 3, 4]), x))
            let parts = try b.node(ApusGraph.Split(axis: 0, sizes: [1, 1, 1]), [whole]).map {
                try b(ApusGraph.Reshape([-1, 3, 5, 4]), $0)
            }
            var scores = try b(MatMul(), parts[0], try b(Transpose([0, 1, 3, 2]), parts[1]))
            scores = try b(.mul, scores, try b.scalar(0.5, .f32))
            if masked { scores = try b(.add, scores, try f.constant("bias", [3, 5, 5])) }
            let y = try b(MatMul(), try b(ApusGraph.Softmax(), scores), parts[2])
            f.finish(try b(ApusGraph.Reshape([0, 5, -1]), try b(Transpose([0, 2, 1, 3]), y)))
            XCTAssertGreaterThan(try f.graph.check(pushTransposesPass), 0)
            XCTAssertEqual(try f.graph.check(fuseAttentionPass, scaled: 1e-5), 1)
            _ = try f.graph.check(mergeReshapesPass)
            XCTAssertEqual(f.graph.operations, ["Reshape", "Split", "Reshape", "Reshape", "Reshape", "Attention"])
        }
    }

    /// Heads of one sample, joined with the axis of the samples second, as PyTorch's MultiheadAttention has it.
    func testFuseAttentionOfOneSample() throws {
        let f = PassFixture(batch: 1)
        let b = f.builder
        let inputs = try (0..<3).map { try f.input("x\($0)", [5, 12]) }
        let parts = try inputs.map {
            let heads = try b(ApusGraph.Reshape([5, 3, 4]), try b(.abs, $0))
            return try b(ApusGraph.Reshape([1, 3, 5, 4]), try b(Transpose([1, 0, 2]), heads))
        }
        let half = try b.scalar(0.5, .f32)
        let q = try b(.mul, parts[0], half), k = try b(Transpose([0, 1, 3, 2]), try b(.mul, parts[1], half))
        let y = try b(MatMul(), try b(ApusGraph.Softmax(), try b(MatMul(), q, k)), parts[2])
        f.finish(try b(ApusGraph.Reshape([5, 12]), try b(Transpose([2, 0, 1, 3]), y)))
        XCTAssertEqual(try f.graph.check(fuseAttentionPass, scaled: 1e-5), 1)
        XCTAssertEqual(f.graph.operations.suffix(2), ["Attention", "Reshape"])
    }

    func testFuseAttentionLeavesWeightsThatAreRead() throws {
        let f = PassFixture()
        let x = try (0..<3).map { try f.input("x\($0)", [4, 8]) }
        let y = try attention(f.builder, x, heads: 2, split: false, transposeB: true)
        let weights = f.builder.local(x.count + 6)
        f.finish(y, weights)
        XCTAssertEqual(try f.graph.check(fuseAttentionPass), 0)
    }

    func testFuseBias() throws {
        var f = PassFixture()
        let x = try f.input("x", [3, 8])
        let product = try f.builder(ApusGraph.Dense(hasBias: false), x, try f.constant("w", [8, 5]))
        let biased = try f.builder(.add, try f.constant("b", [1, 5]), product)
        f.finish(try f.builder(ActivationOperator(.relu), biased))
        XCTAssertEqual(try f.graph.check(fuseBiasPass, scaled: 1e-6), 1)
        XCTAssertEqual(try f.graph.check(fuseActivationPass), 1)
        XCTAssertEqual(f.graph.operations, ["Dense+ReLU"])
    }

    func testFuseBiasLeavesWhatIsNoVector() throws {
        var f = PassFixture()
        let x = try f.input("x", [5, 8])
        let product = try f.builder(ApusGraph.Dense(hasBias: false), x, try f.constant("w", [8, 5]))
        f.finish(try f.builder(.add, product, try f.constant("b", [5, 1])))
        XCTAssertEqual(try f.graph.check(fuseBiasPass), 0)
    }
}
