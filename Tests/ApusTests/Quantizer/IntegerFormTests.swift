import ApusGraph
import ApusRuntime
import CKernels
import XCTest

@testable import Apus

/// Which nodes compute on codes, alone behind a convolution of x [12, 12, 3] with ReLU.
final class IntegerFormTests: XCTestCase {
    private typealias Body = (inout PassFixture, Value) throws -> Value

    /// What `body` makes of 8 channels, read by one more convolution unless it is the output.
    private func graph(isOutput: Bool, _ body: Body) throws -> Graph {
        var f = PassFixture()
        let x = try f.input("x", [12, 12, 3])
        let w = try f.constant("first/w", [3, 3, 3, 8], in: -0.3...0.3), b = try f.constant("first/b", [8], in: -0.1...0.1)
        let op = ApusGraph.Conv2D(padding: .same, hasBias: true, activation: .relu)
        var y = try body(&f, try f.builder.node(op, [x, w, b], name: "first")[0])
        if !isOutput {
            if y.type.shape.rank != 4 { y = try f.builder.node(ApusGraph.Reshape([0, -1, 1, y.type.shape.last]), [y], name: "image")[0] }
            let v = try f.constant("last/w", [1, 1, y.type.shape[3], 5])
            y = try f.builder.node(ApusGraph.Conv2D(hasBias: false), [y, v], name: "last")[0]
        }
        f.finish(y)
        return f.graph
    }

    private func quantizer(_ graph: Graph) throws -> (Quantizer, samples: [[Tensor]]) {
        let quantizer = try Quantizer(graph, QuantizationOptions(method: .minmax))
        let samples = try (0..<4).map { try Goldens.randomInputs(of: graph, function: 0, dimensions: [1], seed: UInt64($0)) }
        for sample in samples { try quantizer.observe(sample) }
        return (quantizer, samples)
    }

    private static func transposed(_ kernel: Int, _ strides: Size2D, _ padding: Padding, _ extra: Size2D = 0) -> Body {
        { f, x in
            let w = try f.constant("v", [kernel, kernel, 6, 8], in: -0.3...0.3), b = try f.constant("c", [6], in: -0.1...0.1)
            let op = ApusGraph.Conv2DTranspose(strides: strides, padding: padding, outputPadding: extra, activation: .relu)
            return try f.builder.node(op, [x, w, b], name: "node")[0]
        }
    }

    private static func one(_ op: Operator) -> Body { { f, x in try f.builder.node(op, [x], name: "node")[0] } }

    private static func two(_ op: Operator, shape: [Int], in range: ClosedRange<Float> = 0.5...1.5, isFirst: Bool = false) -> Body {
        { f, x in
            let c = try f.constant("c", shape, in: range)
            return try f.builder.node(op, isFirst ? [c, x] : [x, c], name: "node")[0]
        }
    }

    private static var upsampled: Body { { f, x in
        let rows = f.constant("rows", try Tensor((0..<24).map { Int64($0 / 2) }, shape: [24]))
        return try f.builder.node(ApusGraph.Gather(axis: 1), [x, rows], name: "node")[0]
    } }

    private static var difference: Body { { f, x in
        let w = try f.constant("v", [1, 1, 8, 8], in: -0.5...0.5)
        let other = try f.builder.node(ApusGraph.Conv2D(hasBias: false), [x, w], name: "other")[0]
        return try f.builder.node(.sub, [x, other], name: "node")[0]
    } }

    private static func sequence(_ op: Reduction) -> Body {
        { f, x in
            let rows = try f.builder.node(ApusGraph.Reshape([0, -1, 8]), [x], name: "rows")[0]
            return try f.builder.node(op, [rows], name: "node")[0]
        }
    }

    private static var cases: [(name: String, isMeasured: Bool, body: Body)] { [
        ("transposed 2 by 2", true, transposed(2, 2, .valid)), ("transposed 3 by 2 padded", true, transposed(3, 2, .explicit(top: 1, left: 1, bottom: 1, right: 1), 1)),
        ("transposed 3 by 2 same", true, transposed(3, 2, .same)), ("transposed 4 by 2", true, transposed(4, 2, .explicit(top: 1, left: 1, bottom: 1, right: 1))),
        ("transposed 3 by 1", true, transposed(3, 1, .same)), ("transposed 2 by 3", true, transposed(2, 3, .valid)),
        ("transposed 5 by 2 and 3", true, transposed(5, Size2D(2, 3), .explicit(top: 2, left: 0, bottom: 1, right: 4))),
        ("gather", false, upsampled), ("difference", true, difference),
        ("difference of a constant", true, two(.sub, shape: [8])), ("from a constant", true, two(.sub, shape: [8], isFirst: true)),
        ("from a number", true, two(.sub, shape: [1], isFirst: true)), ("less a number", true, two(.sub, shape: [])),
        ("plus a number", true, two(.add, shape: [1, 1])), ("times a number", true, two(.mul, shape: [])),
        ("over a number", true, two(.div, shape: [])), ("at most a number", true, two(.minimum, shape: [])),
        ("at least a number", true, two(.maximum, shape: [])), ("times a constant", true, two(.mul, shape: [8])),
        ("plus a constant", true, two(.add, shape: [8])),
        ("negative", true, one(.neg)), ("exponential", true, one(.exp)), ("sine", true, one(.sin)), ("erf", true, one(.erf)),
        ("clip", true, one(ActivationOperator(.clip(minimum: 0.1, maximum: 0.6)))), ("silu", true, one(ActivationOperator(.silu))),
        ("mean", true, one(Reduction(.mean, axes: [1, -2], keepDimensions: true))), ("pooled mean", true, one(Reduction(.globalAvgPool))),
        ("greatest", false, one(Reduction(.max, axes: [1, 2]))), ("pooled greatest", false, one(Reduction(.globalMaxPool))),
        ("mean of a sequence", true, sequence(Reduction(.mean, axes: [1]))),
        ("mean of a sequence, kept", true, sequence(Reduction(.mean, axes: [-2], keepDimensions: true))),
        ("greatest of a sequence", false, sequence(Reduction(.max, axes: [1]))), ("average", true, one(AvgPool(kernel: 3, strides: 2))),
    ] }

    /// From the first node to the last nothing is real, results are near, and a faulty range is named first.
    func testStaysOnIntegers() throws {
        for (name, isMeasured, body) in IntegerFormTests.cases {
            let real = try graph(isOutput: false, body)
            var (quantizer, samples) = try quantizer(real)
            let result = try quantizer.quantized(), nodes = result.functions[0].nodes
            let types = try ValidGraph(validating: result).types(ofFunction: 0, dimensions: [1])
            XCTAssertEqual(types.dropFirst().dropLast().map { $0.dtype }.filter { $0 != .i8 }, [], "\(name): \(nodes.map { $0.op.name })")
            let report = try QuantizationReport(quantizer, result, samples: samples, timed: false)
            XCTAssertGreaterThan(try XCTUnwrap(report.outputNoise), 27, name)
            let node = try XCTUnwrap(report.nodes.first { $0.name == "node" }, name)
            XCTAssertNotNil(node.accumulated, name)
            XCTAssertEqual(node.isolated != nil, isMeasured, name)
            guard isMeasured else { continue }
            let function = quantizer.real.functions[0], place = try XCTUnwrap(function.nodes.firstIndex { $0.name == "node" }, name)
            var codes = quantizer.codes
            codes[function.inputs.count + place]?.scale *= 8
            quantizer.codesOverride = codes
            let faulty = try QuantizationReport(quantizer, try quantizer.quantized(), samples: samples, timed: false)
            XCTAssertEqual(faulty.nodes.first?.name, "node", name)
        }
    }

    /// What nothing reads as codes is real at once: it is not rounded once more.
    func testEndsInRealNumbers() throws {
        let weights = [8, 8]
        func dense(_ f: inout PassFixture, _ x: Value) throws -> Value {
            let mean = try f.builder.node(Reduction(.globalAvgPool), [x], name: "mean")[0], w = try f.constant("w", weights)
            return try f.builder.node(ApusGraph.Dense(hasBias: false), [mean, w], name: "dense")[0]
        }
        func convolution(_ f: inout PassFixture, _ x: Value) throws -> Value {
            let w = try f.constant("w", [1, 1, 8, 4])
            return try f.builder.node(ApusGraph.Conv2D(hasBias: false), [x, w], name: "convolution")[0]
        }
        let cases: [(ends: [String], body: Body)] = [
            (["QuantizedConv2D", "Transpose"], { f, x in
                try f.builder.node(Transpose([0, 3, 1, 2]), [try convolution(&f, x)], name: "first channels")[0]
            }),
            (["QuantizedDense", "Softmax"], { f, x in try f.builder.node(ApusGraph.Softmax(), [try dense(&f, x)], name: "softmax")[0] }),
            (["QuantizedConv2D", "Lookup"], { f, x in
                try f.builder.node(ActivationOperator(.sigmoid), [try convolution(&f, x)], name: "sigmoid")[0]
            }),
            (["QuantizedConv2D", "Lookup", "Transpose"], { f, x in
                let y = try f.builder.node(ActivationOperator(.tanh), [try convolution(&f, x)], name: "tanh")[0]
                return try f.builder.node(Transpose([0, 3, 1, 2]), [y], name: "first channels")[0]
            }),
        ]
        for (ends, body) in cases {
            let (quantizer, samples) = try quantizer(try graph(isOutput: true, body))
            let result = try quantizer.quantized(), names = result.functions[0].nodes.map { $0.op.name }
            XCTAssertEqual(Array(names.suffix(ends.count)), ends)
            XCTAssertFalse(names.contains("Dequantize"), "\(names)")
            let report = try QuantizationReport(quantizer, result, samples: samples, timed: false)
            XCTAssertGreaterThan(try XCTUnwrap(report.outputNoise), 30, "\(ends)")
        }
    }

    /// Of these, codes cannot be told or would be too coarse.
    func testStaysReal() throws {
        let cases: [(op: String, body: Body)] = [
            ("Softmax", IntegerFormTests.one(ApusGraph.Softmax())),
            ("Conv2DTranspose", { f, x in
                let w = try f.constant("v", [2, 2, 4, 8])
                return try f.builder.node(
                    ApusGraph.Conv2DTranspose(strides: 2, groups: 2, hasBias: false), [x, w], name: "node")[0]
            }),
            ("Gather", { f, x in
                let rows = f.constant("rows", try Tensor([0, 12] as [Int64], shape: [2]))
                return try f.builder.node(ApusGraph.Gather(axis: 1), [x, rows], name: "node")[0]
            }),
        ]
        for (op, body) in cases {
            let (quantizer, samples) = try quantizer(try graph(isOutput: false, body))
            let result = try quantizer.quantized()
            XCTAssertEqual(result.functions[0].nodes.first { $0.name == "node" }?.op.name, op)
            let report = try QuantizationReport(quantizer, result, samples: samples, timed: false)
            XCTAssertGreaterThan(try XCTUnwrap(report.outputNoise), 25, op)
        }
    }
}
