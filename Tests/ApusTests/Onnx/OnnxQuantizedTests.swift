import ApusGraph
import ApusRuntime
import CKernels
import Foundation
import XCTest

@testable import Apus
@testable import ApusConvert

/// Integer operators written to ONNX and read again: the same operators, which give the same bytes.
/// Tests/OnnxSuite/quantized.py compares with ONNX Runtime.
final class OnnxQuantizedTests: XCTestCase {
    func testEveryIntegerCaseComesBack() throws {
        var tested: Set<String> = []
        for test in allCases where 130..<150 ~= test.op.code.rawValue {
            let inputs = test.tensors()
            let graph = try OperatorRun.graph(test.op, inputs, packed: true)
            guard inputs.allSatisfy({ $0.type.shape.count > 0 }) else { continue }
            let back: Graph
            switch try Exporter.export(graph, OnnxExportOptions()) {
            case .success(let exporter): back = try imported(exporter)
            case .failure(let blocked):
                XCTAssert(blocked.text.contains("of their weights") || blocked.text.contains("exponentials"), "\(test.name): \(blocked.text)")
                continue
            }
            XCTAssertTrue(back.functions[0].nodes.contains { $0.op.name == test.op.name }, "\(test.name): \(back.operations)")
            let allowed: Set = [test.op.name, "Dequantize", "Quantize", "Transpose", "Reshape", "Add", "Mul"]
            XCTAssertTrue(Set(back.operations).isSubset(of: allowed), "\(test.name): \(back.operations)")
            let wanted = try OperatorRun.run(try Model(graph), inputs, isa: CK_ISA_REFERENCE)
            let found = try OperatorRun.run(try Model(back), inputs, isa: CK_ISA_REFERENCE)
            XCTAssertEqual(found.map { $0.type }, wanted.map { $0.type }, test.name)
            if wanted[0].type.dtype == .f32 && found[0].bytes != wanted[0].bytes {
                // A multiplier that no scale of weights gives comes back as a float next to it.
                let largest = wanted[0].values.reduce(0) { max($0, abs($1)) }
                XCTAssertTrue(zip(found[0].values, wanted[0].values).allSatisfy { abs($0 - $1) <= 3e-7 * largest }, test.name)
            } else {
                XCTAssertTrue(found.map { $0.bytes } == wanted.map { $0.bytes }, test.name)
            }
            tested.insert(test.op.name)
        }
        XCTAssertEqual(tested.count, inferenceOperators.count { 130..<150 ~= $0.code.rawValue }, "\(tested.sorted())")
    }

    /// Weights of 4 bits are those of 8 in an integer product, with a zero point or without.
    func testWeightsOfFourBits() throws {
        let values = [-8, 7, 3, -1, 0, 5, -6, 2, 1]
        for type in [22, 21] {
            var f = OnnxFixture()
            f.operatorSet = 21
            f.input("x", [.named("b"), .fixed(3)])
            f.constant("x/scale", [], [0.5])
            f.codes("x/zero", [], [10])
            f.codes("w/codes", [3, 3], values.map { type == 21 ? $0 + 8 : $0 }, type: type)
            f.constant("w/scale", [3], [1, 2, 0.25])
            f.codes("w/zero", [3], [Int](repeating: type == 21 ? 8 : 0, count: 3), type: type)
            f.node("QuantizeLinear", ["x", "x/scale", "x/zero"], ["q"])
            f.node("DequantizeLinear", ["q", "x/scale", "x/zero"], ["d"])
            f.node("DequantizeLinear", ["w/codes", "w/scale", "w/zero"], ["w"], int: ["axis": 1])
            f.node("MatMul", ["d", "w"], ["y"])
            f.output("y")
            let graph = try f.converted()
            XCTAssertEqual(graph.operations, ["Quantize", "QuantizedDense"])
            let x: [Float] = [1, -2, 3.5], session = try Session(try Model(graph))
            defer { session.destroy() }
            let y = try session.run(["b": 1], [try Tensor(x, shape: [1, 3])]).doubles()
            let scales = [1, 2, 0.25]
            for j in 0..<3 {
                XCTAssertEqual(y[j], (0..<3).reduce(0.0) { $0 + Double(x[$1]) * Double(values[$1 * 3 + j]) * scales[j] }, "\(type)")
            }
        }
    }

    /// Sums of products of bytes beyond 2²⁴ are exact, though no type is wider than 32 bits.
    func testIntegerSumsAreExact() throws {
        for (op, count, isKnown, groups) in [
            ("MatMulInteger", 600, true, 1), ("MatMulInteger", 600, false, 1), ("MatMulInteger", 100, false, 1),
            ("MatMulInteger", 33_000, true, 1), ("MatMulInteger", 33_000, false, 1), ("ConvInteger", 600, true, 1),
            ("ConvInteger", 5000, false, 1), ("ConvInteger", 33_000, true, 1), ("ConvInteger", 33_000, false, 3),
        ] {
            let isConvolution = op == "ConvInteger", columns = 3
            let x = (0..<count * groups).map { UInt8(255 - $0 % 7) }
            let w = (0..<columns * count).map { UInt8(255 - $0 % 5) }, zeros = [0, 9, 255]
            let wShape = isConvolution ? [columns, count, 1, 1] : [count, columns]
            let xShape = isConvolution ? [1, count * groups, 1, 1] : [1, count]
            var f = OnnxFixture()
            f.input("x", xShape.map { .fixed($0) }, type: 2)
            f.constant("w/real", wShape, w.map { Float($0) })
            f.constant("w/zeros", [columns], zeros.map { Float($0) })
            f.constant("x/zeros", [], [1])
            for name in ["x/zeros", "w/zeros"] { f.node("Cast", [name], [name + "/bytes"], int: ["to": 2]) }
            if !isKnown { f.input("w", wShape.map { .fixed($0) }, type: 2) }
            if isKnown { f.node("Cast", ["w/real"], ["w"], int: ["to": 2]) }
            let perColumn = isConvolution || isKnown
            f.node(op, ["x", "w", "x/zeros/bytes", perColumn ? "w/zeros/bytes" : "x/zeros/bytes"], ["y"],
                int: isConvolution ? ["group": groups] : [:])
            f.output("y", type: 6)
            let graph = try f.converted()
            let types = try ValidGraph(validating: graph).types(ofFunction: 0, dimensions: [])
            XCTAssertFalse(types.contains { $0.dtype == .f64 }, "\(op) \(count)")
            let session = try Session(try Model(graph))
            defer { session.destroy() }
            var inputs = [try Tensor(x).reshaped(xShape)]
            if !isKnown { inputs.append(try Tensor(w).reshaped(wShape)) }
            let wanted = (0..<columns).map { column in
                (0..<count).reduce(Int32(0)) { sum, i in
                    let code = Int32(w[isConvolution ? column * count + i : i * columns + column])
                    let place = groups == 1 ? i : column * count + i
                    return sum + (Int32(x[place]) - 1) * (code - (perColumn ? Int32(zeros[column]) : 1))
                }
            }
            XCTAssertEqual(try session.run([:], inputs).array(of: Int32.self), wanted, "\(op) \(count)")
        }
    }

    /// A network quantized here keeps its integer nodes and its bytes, whatever its scheme.
    func testQuantizedNetworksComeBack() throws {
        let image = try Sequential(input: [10, 10, 3], name: "small", seed: 4) {
            Conv2D(16, kernel: 3, padding: .same, activation: .relu)
            DepthwiseConv2D(kernel: 3, activation: .relu6)
            AvgPool2D(2)
            Conv2D(32, kernel: 1, activation: .silu)
            GlobalAvgPool2D()
            Dense(64, activation: .relu)
            Dense(10)
        }
        let dense = try Sequential(input: [70], name: "dense", seed: 5) {
            Dense(64, activation: .gelu)
            Dense(48, activation: .relu)
            Dense(10)
        }
        let cases: [(Sequential, QuantizationScheme)] = [
            (image, .int8), (dense, .int8), (dense, .w8), (dense, .w4), (dense, .w4Dynamic), (dense, .int8Dynamic),
        ]
        for (network, scheme) in cases {
            let real = try network.exportGraph(maximumBatch: 4)
            let samples = try (0..<8).map {
                try Goldens.randomInputs(of: real, function: 0, dimensions: [1], seed: UInt64($0))
            }
            let quantizer = try Quantizer(real, QuantizationOptions(scheme))
            if scheme == .int8 { for sample in samples { try quantizer.observe(sample) } }
            let graph = try quantizer.quantized()
            let exporter = try Exporter.export(graph, OnnxExportOptions()).get()
            // Only what has 4 bits or blocks asks for the later operator set.
            let isNarrow = scheme == .w4 || scheme == .w4Dynamic
            let sets = [exporter.model.operatorSets[""]] + exporter.model.functions.values.map { $0.operatorSets[""] }
            XCTAssertEqual(Set(sets), [isNarrow ? 21 : 20], "\(scheme)")
            let back = try imported(exporter)
            func integers(_ graph: Graph) -> [String] {
                graph.functions[0].nodes.filter { 130..<150 ~= $0.op.code.rawValue }.map { $0.op.name }
            }
            XCTAssertEqual(integers(back), integers(graph), "\(scheme)")
            XCTAssertFalse(integers(graph).isEmpty)
            for sample in samples {
                try Goldens.add(to: graph, samples: sample)
                let golden = graph.goldens[0]
                let found = try Goldens.replay(golden, of: back, isa: CK_ISA_REFERENCE)
                let wanted = try Goldens.replay(golden, of: graph, isa: CK_ISA_REFERENCE)
                withExtendedLifetime((found, wanted)) {
                    XCTAssertTrue(found[0].bytes.elementsEqual(wanted[0].bytes), "\(scheme)")
                }
            }
        }
    }

    private func imported(_ exporter: Exporter) throws -> Graph {
        let folder = try ScratchFolder()
        _ = try OnnxWriter.write(exporter.model, exporter.initializers, to: folder.file("model.onnx"))
        let graph = try Importer.graph(of: try OnnxReader.read(folder.file("model.onnx")), OnnxOptions()).get()
        return try Export.optimize(graph)
    }
}
