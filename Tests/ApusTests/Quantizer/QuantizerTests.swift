import ApusGraph
import ApusRuntime
import CKernels
import Foundation
import XCTest

@testable import Apus

final class QuantizerTests: XCTestCase {
    /// A small residual network with depthwise layers, batch norms, activations of both kinds, pools and a concatenation.
    private func fixture() throws -> Graph {
        var f = PassFixture()
        let x = try f.input("x", [12, 12, 3])
        func convolution(
            _ x: Value, _ from: Int, _ to: Int, groups: Int = 1, _ activation: Activation, residual: Value? = nil,
            _ name: String
        ) throws -> Value {
            let bound = Float((3.0 / Double(9 * from / groups)).squareRoot())
            let w = try f.constant("\(name)/w", [3, 3, from / groups, to], in: -bound...bound)
            let b = try f.constant("\(name)/b", [to], in: -0.1...0.1)
            let op = ApusGraph.Conv2D(
                padding: .same, groups: groups, hasBias: true, hasResidual: residual != nil, activation: activation)
            return try f.builder.node(op, [x, w, b] + [residual].compactMap { $0 }, name: name)[0]
        }
        let first = try convolution(x, 3, 16, .relu, "first")
        let depthwise = try convolution(first, 16, 16, groups: 16, .relu6, "depthwise")
        let residual = try convolution(depthwise, 16, 16, .relu, residual: first, "residual")
        let smooth = try convolution(residual, 16, 16, .silu, "smooth")
        let joined = try f.builder.node(ApusGraph.Concat(axis: 3), [residual, smooth], name: "joined")[0]
        let pooled = try f.builder.node(MaxPool(kernel: 2), [joined], name: "pooled")[0]
        let mean = try f.builder.node(Reduction(.globalAvgPool), [pooled], name: "mean")[0]
        let w = try f.constant("logits/w", [32, 10], in: -0.4...0.4), b = try f.constant("logits/b", [10])
        f.finish(try f.builder.node(ApusGraph.Dense(), [mean, w, b], name: "logits")[0])
        return f.graph
    }

    private func samples(_ graph: Graph, _ count: Int) throws -> [[Tensor]] {
        try (0..<count).map {
            try Goldens.randomInputs(of: graph, function: 0, dimensions: [1], seed: UInt64($0))
        }
    }

    private func quantizer(_ graph: Graph, _ options: QuantizationOptions = QuantizationOptions()) throws -> Quantizer {
        let quantizer = try Quantizer(graph, options)
        for sample in try samples(graph, 8) { try quantizer.observe(sample) }
        return quantizer
    }

    func testStaysOnIntegersFromInputToOutput() throws {
        let graph = try quantizer(try fixture()).quantized()
        XCTAssertEqual(
            graph.functions[0].nodes.map { $0.op.name },
            [
                "Quantize", "QuantizedConv2D", "QuantizedConv2D", "QuantizedConv2D", "QuantizedConv2D", "Lookup", "Lookup", "Lookup",
                "Concat", "MaxPool", "QuantizedAvgPool", "Reshape", "QuantizedDense",
            ])
    }

    func testKeepsWhatTheModelComputes() throws {
        for method in CalibrationMethod.allCases {
            let real = try fixture()
            let quantizer = try quantizer(real, QuantizationOptions(method: method))
            let report = try QuantizationReport(quantizer, try quantizer.quantized(), samples: try samples(real, 4))
            XCTAssertGreaterThan(try XCTUnwrap(report.outputNoise), 20, method.rawValue)
            for node in report.nodes where node.isolated != nil {
                XCTAssertGreaterThan(try XCTUnwrap(node.isolated), method == .entropy ? 18 : 25, "\(method) \(node.name)")
            }
        }
    }

    /// Bytes of every instruction set, and of 1, 2 and 7 threads.
    func testGivesTheSameBytesEverywhere() throws {
        let real = try fixture(), graph = try quantizer(real).quantized()
        try Goldens.add(to: graph)
        for golden in graph.goldens {
            for isa in InstructionSet.all where ck_isa_is_supported(isa) != 0 {
                for threads in [1, 2, 7] {
                    let outputs = try Goldens.replay(golden, of: graph, isa: isa, threads: threads)
                    for (a, b) in zip(outputs, golden.outputs) {
                        XCTAssertEqual(Array(a.bytes), Array(b.bytes), "\(InstructionSet.name(isa)), \(threads) threads")
                    }
                }
            }
        }
    }

    func testSurvivesTheFile() throws {
        let graph = try quantizer(try fixture()).quantized()
        try Goldens.add(to: graph)
        try ModelWriter.bytes(graph).withUnsafeBytes {
            let read = try ApusRuntime.Model(bytes: $0).graph
            XCTAssertEqual(read.goldens.count, graph.goldens.count)
            for (golden, original) in zip(read.goldens, graph.goldens) {
                let found = try Goldens.replay(golden, of: read)
                XCTAssertEqual(found.map { Array($0.bytes) }, original.outputs.map { Array($0.bytes) })
                XCTAssertEqual(golden.inputs[0].type.dtype, .i8, "what only a Quantize reads is stored as its codes")
                XCTAssertEqual(Array(golden.inputs[0].bytes), Array(original.inputs[0].bytes))
            }
        }
    }

    /// Real inputs draw the same outputs as the codes that stand for them.
    func testGoldenCodesStandForTheirInputs() throws {
        let graph = try quantizer(try fixture()).quantized()
        let real = try Goldens.randomInputs(of: graph, function: 0, dimensions: [1])[0]
        try Goldens.add(to: graph, samples: [real])
        var golden = graph.goldens[0]
        golden.inputs = [real.constant("x")]
        XCTAssertEqual(try Goldens.replay(golden, of: graph).map { Array($0.bytes) }, golden.outputs.map { Array($0.bytes) })
    }

    func testRefusesGoldenCodesOfAWrongScale() throws {
        for (scale, reason) in [(Float(0), "scale 0.0, wanted a positive"), (-1, "scale -1.0"), (.nan, "scale nan")] {
            let graph = try quantizer(try fixture()).quantized()
            try Goldens.add(to: graph)
            graph.goldens[0].inputs[0].type.quantization = Quantization(scales: [scale])
            XCTAssertThrowsError(try ModelWriter.bytes(graph).withUnsafeBytes { try ApusRuntime.Model(bytes: $0) }) {
                XCTAssert(($0 as? ApusError)?.message.contains(reason) == true, "\($0)")
            }
        }
    }

    /// A scale eight times too large is named first.
    func testNamesAPlantedFault() throws {
        let real = try fixture()
        var quantizer = try quantizer(real)
        var codes = quantizer.codes
        let function = quantizer.real.functions[0]
        let place = try XCTUnwrap(function.nodes.firstIndex { $0.name == "residual" })
        let local = function.inputs.count + function.nodes[..<place].reduce(0) { $0 + $1.op.outputCount }
        codes[local]?.scale *= 8
        quantizer.codesOverride = codes
        let report = try QuantizationReport(quantizer, try quantizer.quantized(), samples: try samples(real, 4))
        XCTAssertEqual(report.nodes.first?.name, "residual")
    }

    /// build/quantization-report.html: what Tests/PythonTests/test_report.py reads as a browser does.
    func testReportIsWritten() throws {
        let real = try fixture(), quantizer = try quantizer(real)
        let report = try QuantizationReport(quantizer, try quantizer.quantized(), samples: try samples(real, 4))
        let page = report.html(title: "a<b")
        XCTAssertTrue(page.contains("Quantization of a&lt;b"))
        let folder = CaseFiles.root.appendingPathComponent("build")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try page.write(to: folder.appendingPathComponent("quantization-report.html"), atomically: true, encoding: .utf8)
    }

    /// Names end before the bars, and begin within the plot; a character is 7.2 wide.
    func testLongNamesHaveRoomInThePlot() throws {
        let real = try fixture(), quantizer = try quantizer(real)
        var report = try QuantizationReport(quantizer, try quantizer.quantized(), samples: try samples(real, 1), timed: false)
        let name = "/encoder/layer.11/attention/self/query/MatMul/Dense_1234"
        report.nodes.append(
            QuantizationReport.Node(
                name: name, operation: "Dense", accumulated: 30, isolated: 40, saturated: nil, outlierRatio: nil))
        let label = try XCTUnwrap(report.html(title: "").firstMatch(of: /<text x="(\d+)" y="\d+" text-anchor="end">\/encoder/))
        let bar = try XCTUnwrap(report.html(title: "").firstMatch(of: /<rect class="isolated" x="(\d+)"/))
        let end = try XCTUnwrap(Double(label.1))
        XCTAssertGreaterThanOrEqual(end, 7.2 * Double(name.count))
        XCTAssertLessThan(end, try XCTUnwrap(Double(bar.1)))
    }

    func testKeepsNodesReal() throws {
        let quantizer = try quantizer(try fixture(), QuantizationOptions(keepFloat: ["depthwise"]))
        let names = try quantizer.quantized(keepFloat: ["logits"]).functions[0].nodes
        XCTAssertEqual(names.first { $0.name == "depthwise" }?.op.name, "Conv2D")
        XCTAssertEqual(names.first { $0.name == "logits" }?.op.name, "Dense")
        XCTAssertEqual(names.first { $0.name == "residual" }?.op.name, "QuantizedConv2D")
        let report = try QuantizationReport(
            quantizer, try quantizer.quantized(), keepFloat: ["logits"], samples: try samples(quantizer.real, 2), timed: false)
        let measured = report.nodes.filter { $0.isolated != nil }.map { $0.name }
        XCTAssertEqual(
            Set(measured), ["first", "residual", "smooth", "smooth/activation", "joined", "mean"], "not of nodes kept real")
        XCTAssertThrowsError(try quantizer.quantized(keepFloat: ["nothing"])) {
            XCTAssertEqual(($0 as? ApusError)?.message, "no node 'nothing' to keep real")
        }
    }

    /// Of more input channels than output channels.
    func testATransposedConvolutionIsItsPhases() throws {
        var f = PassFixture()
        let x = try f.input("x", [6, 6, 3])
        let w = try f.constant("w", [3, 3, 3, 16]), b = try f.constant("b", [16])
        let first = try f.builder.node(
            ApusGraph.Conv2D(padding: .same, hasBias: true, activation: .relu), [x, w, b], name: "first")[0]
        let v = try f.constant("v", [2, 2, 4, 16]), c = try f.constant("c", [4])
        f.finish(try f.builder.node(ApusGraph.Conv2DTranspose(strides: 2), [first, v, c], name: "up")[0])
        let quantizer = try quantizer(f.graph), graph = try quantizer.quantized()
        XCTAssertEqual(
            graph.functions[0].nodes.map { $0.op.name }, ["Quantize", "QuantizedConv2D", "QuantizedConv2D", "Reshape", "Transpose", "Reshape"])
        let report = try QuantizationReport(quantizer, graph, samples: try samples(f.graph, 4))
        XCTAssertGreaterThan(try XCTUnwrap(report.outputNoise), 30)
    }

    func testCountsTheProductsOfIntegers() throws {
        let quantizer = try quantizer(try fixture())
        let integer = try GraphReport(try ValidGraph(validating: try quantizer.quantized()), function: 0)
        XCTAssertEqual(integer.macs, try GraphReport(try ValidGraph(validating: quantizer.real), function: 0).macs)
    }

    func testRefusesWhatIsNotFinite() throws {
        let graph = try fixture(), quantizer = try Quantizer(graph)
        for value in [Float.nan, .infinity, -.infinity] {
            var x = [Float](repeating: 0.5, count: 12 * 12 * 3)
            x[7] = value
            XCTAssertThrowsError(try quantizer.observe([try Tensor(x, shape: [1, 12, 12, 3])])) {
                XCTAssertEqual(($0 as? ApusError)?.message, "'x' is \(value) in f32 at element 7, wanted finite numbers")
            }
        }
    }

    /// The symbolic dimension that leads every input counts samples, wherever it stands among the dimensions.
    func testCountsSamples() throws {
        for (shapes, count) in [([[-2, -1, 3]], 2), ([[-1, 3]], 5), ([[-2, -1, 3], [-1, 3]], 1), ([[4, -1, 3]], 1)] {
            let graph = Graph("fixture")
            graph.dimensions = [SymbolicDimension("time", 1...8), SymbolicDimension("batch", 1...4)]
            let builder = GraphBuilder(graph, function: "predict")
            let inputs = try shapes.map { try builder.input("x\($0.count)", TensorType(.f32, Shape($0))) }
            builder.output("y", try builder(ActivationOperator(.relu), inputs[0]), type: TensorType(.f32, Shape(shapes[0])))
            builder.finish()
            let calibration = try Calibration(graph)
            for _ in 0..<3 { try calibration.observe(try Goldens.randomInputs(of: graph, function: 0, dimensions: [5, 2])) }
            XCTAssertEqual(calibration.sampleCount, 3 * count, "\(shapes)")
        }
    }

    /// One number says which of two classes after a sigmoid or where samples have classes, and is a number otherwise.
    func testReportsOneNumber() throws {
        func graph(_ weight: Float, sigmoid: Bool) throws -> Graph {
            let f = PassFixture(), x = try f.input("x", [1]), w = f.constant("w", try Tensor([weight], shape: [1, 1]))
            f.finish(
                try f.builder.node(
                    ApusGraph.Dense(hasBias: false, activation: sigmoid ? .sigmoid : .none), [x, w], name: "y")[0])
            return f.graph
        }
        let samples = try [-2, -1, 1, 3].map { [try Tensor([$0] as [Float], shape: [1, 1])] }
        for (sigmoid, classified, agreement) in [(true, false, 0.0), (true, true, 0), (false, true, 0), (false, false, nil)] {
            let quantizer = try Quantizer(try graph(1, sigmoid: sigmoid), QuantizationOptions(.f16))
            let report = try QuantizationReport(
                quantizer, try graph(-1, sigmoid: sigmoid), samples: samples, classified: classified, timed: false)
            XCTAssertEqual(report.topAgreement, agreement)
            XCTAssertEqual(report.divergence.map { $0 > 0.5 }, agreement.map { _ in true })
            XCTAssertEqual(report.text.contains("same top class: n/a\n"), agreement == nil)
            XCTAssertTrue(report.text.contains("size without golden pairs and report: "))
        }
    }

    func testNoiseOfWhatIsNotFinite() {
        let cases: [([(Double, Double)], Double?)] = [
            ([(1, 1)], 200), ([(1, 0.9)], 20), ([], nil), ([(.infinity, .infinity), (.nan, .nan)], nil),
            ([(1, 0.9), (.infinity, .infinity)], 20), ([(1, 1), (1, .infinity)], -.infinity), ([(.infinity, 1)], -.infinity),
            ([(.infinity, -.infinity)], -.infinity),
        ]
        for (pairs, wanted) in cases {
            var noise = Noise()
            for (real, found) in pairs { noise.add(real, found) }
            XCTAssertEqual(noise.decibels ?? 0, wanted ?? 0, accuracy: 1e-9, "\(pairs)")
            XCTAssertEqual(noise.decibels == nil, wanted == nil, "\(pairs)")
        }
    }

    func testKeepsWeightsReal() throws {
        var f = PassFixture()
        let x = try f.input("x", [40]), w = try f.constant("w", [40, 48]), v = try f.constant("v", [48, 16])
        let hidden = try f.builder.node(ApusGraph.Dense(hasBias: false), [x, w], name: "hidden")[0]
        f.finish(try f.builder.node(ApusGraph.Dense(hasBias: false), [hidden, v], name: "logits")[0])
        for (scheme, narrow) in [(QuantizationScheme.f16, DType.f16), (.bf16, .bf16), (.w8, .i8)] {
            for (kept, wanted) in [([], [narrow, narrow]), (["hidden"], [.f32, narrow]), (["hidden", "logits"], [.f32, .f32])] {
                let graph = try Quantizer(f.graph, QuantizationOptions(scheme, keepFloat: Set(kept))).quantized()
                let types = graph.functions[0].nodes.map { node in
                    if case .constant(let index) = node.inputs[1] { graph.constants[index].type.dtype } else { DType.bool }
                }
                XCTAssertEqual(types, wanted, "\(scheme) \(kept)")
            }
        }
    }

    func testWeightsAlone() throws {
        var f = PassFixture()
        let x = try f.input("x", [96])
        let w = try f.constant("w", [96, 40]), v = try f.constant("v", [40, 96])
        let hidden = try f.builder.node(ApusGraph.Dense(hasBias: false, activation: .gelu), [x, w], name: "hidden")[0]
        f.finish(try f.builder.node(ApusGraph.Dense(hasBias: false, hasResidual: true), [hidden, v, x], name: "logits")[0])
        for (scheme, op, least) in [
            (QuantizationScheme.w8, "WeightOnlyDense", 38.0), (.w4, "WeightOnlyDense", 14), (.w4Dynamic, "WeightOnlyDense", 14),
            (.int8Dynamic, "DynamicDense", 30),
        ] {
            let quantizer = try Quantizer(f.graph, QuantizationOptions(scheme))
            let graph = try quantizer.quantized()
            XCTAssertEqual(graph.functions[0].nodes.map { $0.op.name }, [op, op])
            let report = try QuantizationReport(quantizer, graph, samples: try samples(f.graph, 4))
            XCTAssertGreaterThan(try XCTUnwrap(report.outputNoise), least, scheme.rawValue)
        }
    }

    /// More products than 32 bits hold the sum of.
    func testADeepDenseStaysReal() throws {
        let f = PassFixture(), depth = 150_000
        let x = try f.input("x", [depth]), v = f.constant("v", try Tensor([Float](repeating: 1, count: 64), shape: [1, 64]))
        let w = f.constant("w", try Tensor([Float](repeating: 1, count: depth), shape: [depth, 1]))
        let u = f.constant("u", try Tensor([Float](repeating: 1, count: 64), shape: [64, 1]))
        let deep = try f.builder.node(ApusGraph.Dense(hasBias: false), [x, w], name: "deep")[0]
        let wide = try f.builder.node(ApusGraph.Dense(hasBias: false), [deep, v], name: "wide")[0]
        f.finish(try f.builder.node(ApusGraph.Dense(hasBias: false), [wide, u], name: "logits")[0])
        let graph = try Quantizer(f.graph, QuantizationOptions(.int8Dynamic)).quantized()
        XCTAssertEqual(graph.functions[0].nodes.map { $0.op.name }, ["Dense", "Dense", "DynamicDense"])
    }

    func testRefusesWeightsThatNoCodesStandFor() throws {
        for (value, schemes) in [
            (Float.nan, [QuantizationScheme.int8, .int8Dynamic, .w8, .w4]), (.infinity, [.int8, .int8Dynamic, .w8]), (1e7, [.w8, .w4]),
        ] {
            var f = PassFixture()
            let x = try f.input("x", [40])
            var elements = [Float](repeating: 0.5, count: 40 * 40)
            elements[3] = value
            let w = f.constant("w", try Tensor(elements, shape: [40, 40])), b = try f.constant("b", [40])
            f.finish(try f.builder.node(ApusGraph.Dense(), [x, w, b], name: "logits")[0])
            for scheme in schemes {
                let quantizer = try Quantizer(f.graph, QuantizationOptions(scheme))
                for sample in try samples(f.graph, 2) { try quantizer.observe(sample) }
                XCTAssertThrowsError(try quantizer.quantized(), scheme.rawValue) {
                    XCTAssertTrue((($0 as? ApusError)?.message ?? "").contains("'w'"), "\($0)")
                }
            }
        }
    }

    func testTablesAsCodes() throws {
        var f = PassFixture()
        let table = try f.constant("table", [600, 40]), w = try f.constant("w", [40, 5])
        let x = try f.builder.input("x", TensorType(.i64, [3]))
        let rows = try f.builder.node(ApusGraph.Gather(), [table, x], name: "rows")[0]
        f.finish(try f.builder.node(ApusGraph.Dense(hasBias: false), [rows, w], name: "logits")[0])
        let indices = try Tensor([0, 599, -1] as [Int64], shape: [3])
        for (scheme, dtype, least) in [(QuantizationScheme.w8, DType.i8, 38.0), (.w4, .i4, 14)] {
            let quantizer = try Quantizer(f.graph, QuantizationOptions(scheme)), graph = try quantizer.quantized()
            XCTAssertEqual(graph.functions[0].nodes.map { $0.op.name }, ["WeightOnlyGather", "WeightOnlyDense"])
            XCTAssertEqual(graph.constants.filter { $0.type.shape.count == 600 * 40 }.map { $0.type.dtype }, [dtype])
            let report = try QuantizationReport(quantizer, graph, samples: [[indices]])
            XCTAssertGreaterThan(try XCTUnwrap(report.outputNoise), least, scheme.rawValue)
        }
        let kept = try Quantizer(f.graph, QuantizationOptions(.w8, keepFloat: ["rows"])).quantized()
        XCTAssertEqual(kept.functions[0].nodes.map { $0.op.name }, ["Gather", "WeightOnlyDense"])
    }

    func testInt8NeedsASample() throws {
        XCTAssertThrowsError(try Quantizer(try fixture()).quantized()) {
            XCTAssertEqual(($0 as? ApusError)?.message, "int8 without a sample to calibrate with")
        }
    }
}
