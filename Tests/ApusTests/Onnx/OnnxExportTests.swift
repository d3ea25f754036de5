import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus
@testable import ApusConvert

/// What is exported to ONNX, read again by the importer's reader. scripts/test-onnx-export.sh runs it in ONNX Runtime.
final class OnnxExportTests: XCTestCase {
    func testEveryOperatorOfInferenceIsExported() {
        let rules = Set(OnnxExportTable.shared.names)
        let missing = inferenceOperators.map { $0.name }.filter { !rules.contains($0) }
        // ONNX fixes no generator, so that no other runtime would compute the same numbers.
        let random = ["RandomUniform", "RandomNormal"]
        // ONNX has no memory between runs.
        let streams = ["CachedAttention"]
        XCTAssertEqual(
            missing.sorted(), (random + streams).sorted(), "operators without a rule in Sources/ApusConvert/OnnxExport/Rules")
        XCTAssertEqual(rules.subtracting(operatorTable.entries.map { $0.name }), [], "rules for no operator")
    }

    func testEveryOperatorHasAnExample() {
        let examples = OperatorExample.all.map { $0.op.name }
        XCTAssertEqual(Set(examples), Set(operatorTable.entries.map { $0.name }))
        XCTAssertEqual(examples.count, Set(examples).count, "examples of one operator")
        for example in OperatorExample.all { XCTAssertFalse(example.dtypes.isEmpty, "\(example.op.name) of no type") }
    }

    func testACNNHasTransposesAtItsEdgesOnly() throws {
        let network = try ModelLibrary.mnistCNN(seed: 1)
        let model = try exported(try network.exportGraph()).model
        let operators = model.graph.nodes.map { $0.op }
        XCTAssertGreaterThan(operators.count { $0 == "Conv" }, 1)
        XCTAssertEqual(operators.count { $0 == "Transpose" }, 2, "\(operators)")
        XCTAssertEqual(operators.first, "Transpose")
        XCTAssertEqual(operators[operators.lastIndex(of: "Transpose")! + 1], "Flatten")
    }

    func testNamesDimensionsAndMetadataAreKept() throws {
        let graph = try network().exportGraph(maximumBatch: 5)
        graph.metadata = [("author", "Möwe"), ("empty", "")]
        let model = try written(graph)
        XCTAssertEqual(model.producer, "Apus")
        XCTAssertEqual(model.producerVersion, ApusVersion.text)
        XCTAssertEqual(model.operatorSets, ["": Exporter.operatorSet])
        XCTAssertEqual(model.metadata.map { $0.key }, ["author", "empty"])
        XCTAssertEqual(model.metadata.map { $0.value }, ["Möwe", ""])
        XCTAssertEqual(model.graph.inputs.map { $0.name }, graph.functions[0].inputs.map { $0.name })
        XCTAssertEqual(model.graph.outputs.map { $0.name }, graph.functions[0].outputs.map { $0.name })
        XCTAssertEqual(model.graph.inputs[0].extents, [.named("batch"), .fixed(8), .fixed(8), .fixed(1)])
        XCTAssertEqual(model.graph.outputs[0].extents, [.named("batch"), .fixed(3)])
        let names = Set(graph.functions[0].nodes.map { $0.name })
        XCTAssertTrue(names.isSubset(of: Set(model.graph.nodes.map { $0.name })), "\(names)")
    }

    func testAnInputOrAConstantMayBeAnOutputTwice() throws {
        let graph = Graph("edges")
        graph.constants = [Constant("c", TensorType(.f32, [2]), [Float(1), 2].withUnsafeBytes { HeapStorage($0) })]
        let builder = GraphBuilder(graph, function: "predict")
        let x = try builder.input("x", TensorType(.f32, [2]))
        let y = try builder(.neg, x)
        for (name, value) in [("x", x), ("y", y), ("y again", y), ("c", builder.constant(0))] {
            builder.output(name, value)
        }
        builder.finish()
        let model = try written(graph)
        XCTAssertEqual(model.graph.nodes.map { $0.op }, ["Neg", "Identity", "Identity", "Identity"])
        let names = model.graph.inputs.map { $0.name } + model.graph.outputs.map { $0.name }
        XCTAssertEqual(Set(names).count, 5, "\(names)")
        let again = try imported(model)
        let outputs = try Runner(again).run([try Tensor([Float(3), -4])])
        XCTAssertEqual(try outputs.map { try $0.doubles() }, [[3, -4], [-3, 4], [-3, 4], [1, 2]])
    }

    func testWeightsMayLieBesideTheModel() throws {
        let folder = try ScratchFolder()
        let graph = try network().exportGraph()
        let conversion = try ModelConversion(graph, ExportOptions())
        var options = OnnxExportOptions()
        options.externalData = true
        guard case .success(let bytes) = try conversion.writeOnnx(to: folder.file("m.onnx"), options) else {
            return XCTFail("blocked")
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.file("."))
        XCTAssertEqual(Set(files), ["m.onnx", "m.onnx.data"])
        let sizes = try files.map { try XCTUnwrap(FileManager.default.attributesOfItem(atPath: folder.file($0))[.size] as? Int) }
        XCTAssertEqual(sizes.reduce(0, +), bytes)
        let beside = try OnnxReader.read(folder.file("m.onnx")), within = try written(graph)
        XCTAssertEqual(beside.graph.initializers.map { $0.name }, within.graph.initializers.map { $0.name })
        for (a, b) in zip(beside.graph.initializers, within.graph.initializers) {
            XCTAssertEqual(a.dimensions, b.dimensions)
            XCTAssertTrue(try XCTUnwrap(a.constant).bytes.elementsEqual(try XCTUnwrap(b.constant).bytes), a.name)
        }
    }

    func testAModelThatOneFileCannotHoldHasItsWeightsBesideIt() throws {
        let folder = try ScratchFolder(), exporter = try exported(try network().exportGraph())
        let size = try OnnxWriter.write(exporter.model, exporter.initializers, to: folder.file("m.onnx"))
        XCTAssertFalse(FileManager.default.fileExists(atPath: folder.file("m.onnx.data")))
        _ = try OnnxWriter.write(exporter.model, exporter.initializers, to: folder.file("m.onnx"), limit: size - 1)
        XCTAssertTrue(FileManager.default.fileExists(atPath: folder.file("m.onnx.data")))
        XCTAssertEqual(try OnnxReader.read(folder.file("m.onnx")).graph.initializers.count, exporter.initializers.count)
    }

    func testNamesAreGivenOnce() {
        var names = UniqueNames()
        XCTAssertEqual(["a", "a", "a_1", "", "a", ""].map { names.take($0) }, ["a", "a_1", "a_1_1", "_1", "a_2", "_2"])
    }

    func testWhatCannotBeExportedIsReportedAltogether() throws {
        let f = try CLIFixture()
        let graph = try GoldenGraphs.training()
        try ModelWriter.write(graph, to: f.file("training.apus"))
        let run = try CLIRun("convert-model", [f.file("training.apus"), "-o", f.file("out.onnx"), "--json"])
        XCTAssertEqual(run.code, 2, run.errors)
        XCTAssertFalse(FileManager.default.fileExists(atPath: f.file("out.onnx")))
        let blocks = try XCTUnwrap(try run.json()["blocked"] as? [[String: Any]])
        let names = Set(blocks.compactMap { $0["name"] as? String })
        for update in graph.functions[0].updates { XCTAssertTrue(names.contains(graph.states[update.state].name)) }
        let exported = Set(OnnxExportTable.shared.names)
        for node in graph.functions[0].nodes where !exported.contains(node.op.name) {
            XCTAssertTrue(names.contains(node.name), node.name)
        }
        try CLIRun("convert-model", [f.model, "-o", f.file("out.onnx"), "--function", "train"])
            .expectFailure(2, "no function 'train', wanted one of: predict")
    }

    func testADimensionOfOneSizeIsANumber() throws {
        for (sizes, extent) in [(3...3, OnnxValueInfo.Extent.fixed(3)), (3...4, .named("batch"))] {
            let graph = try network().exportGraph(maximumBatch: 4)
            graph.dimensions = [SymbolicDimension("batch", sizes)]
            let model = try written(graph).graph
            XCTAssertEqual((model.inputs + model.outputs).map { $0.extents?.first }, [extent, extent])
        }
    }

    func testUnpackingIsTheReverseOfPacking() throws {
        var random = TestRandom(9)
        for (shape, layout) in [
            ([5, 37], Layout.panels), ([3, 5, 20], .panels), ([3, 2, 4, 18], .convPanels(groups: 1)), ([1, 3, 5, 34], .convPanels(groups: 2)),
        ] {
            let values = TestTensor.make(.f32, shape) { _ in Double(Float.random(in: -1...1, using: &random)) }
            let plain = Constant("w", values.type, HeapStorage(values.bytes))
            let back = try Packing.unpack(try Packing.pack(plain, as: layout))
            XCTAssertEqual(back.type, plain.type)
            XCTAssertTrue(back.bytes.elementsEqual(plain.bytes), "\(shape)")
            let half = try Packing.unpack(try Packing.pack(plain, as: layout, .f16)), wanted = try Packing.cast(plain, to: .f16)
            XCTAssertEqual(half.type, wanted.type)
            XCTAssertTrue(half.bytes.elementsEqual(wanted.bytes), "\(shape)")
        }
    }

    // MARK: Support

    private func network() throws -> Network {
        try Sequential(input: [8, 8, 1], name: "small", seed: 3) {
            Conv2D(16, kernel: 3, activation: .relu)
            MaxPool2D(2)
            Flatten()
            Dense(3)
        }
    }

    private func exported(_ graph: Graph) throws -> Exporter {
        try Exporter.export(graph, OnnxExportOptions()).get()
    }

    /// A graph as ONNX, read again.
    private func written(_ graph: Graph) throws -> OnnxModel {
        let folder = try ScratchFolder(), exporter = try exported(graph)
        _ = try OnnxWriter.write(
            exporter.model, exporter.initializers, to: folder.file("model.onnx"))
        return try OnnxReader.read(folder.file("model.onnx"))
    }

    private func imported(_ model: OnnxModel) throws -> Graph {
        try Importer.graph(of: model, OnnxOptions()).get()
    }
}
