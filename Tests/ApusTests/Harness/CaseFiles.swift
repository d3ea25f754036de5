import Apus
import ApusGraph
import ApusRuntime
import CKernels
import Foundation
import XCTest

/// Writes every operator case as build/case-files/NUMBER-NAME.apus, its result as a golden pair: what the second reader,
/// Tests/PythonTests/reader.py, recomputes.
final class CaseFiles: XCTestCase {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    func testCaseFilesAreWritten() throws {
        let folder = CaseFiles.root.appendingPathComponent("build/case-files")
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (number, test) in allCases.enumerated() {
            let inputs = test.tensors()
            let graph = try OperatorRun.graph(test.op, inputs, packed: true)
            graph.name = test.name
            let outputs = try OperatorRun.run(try Model(graph), inputs, isa: ck_isa_native())
            graph.goldens = [CaseFiles.golden(graph, inputs, outputs, test.tolerance)]
            let name = "\(1000 + number)-\(CaseFiles.fileName(test.name)).apus"
            try ModelWriter.write(graph, to: folder.appendingPathComponent(name).path)
        }
        XCTAssertEqual(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).count, allCases.count, "files written")
    }

    /// The pair of a graph made by `OperatorRun.graph`, whose packed inputs are constants.
    private static func golden(
        _ graph: Graph, _ inputs: [TestTensor], _ outputs: [TestTensor], _ tolerance: Double
    ) -> Golden {
        let function = graph.functions[0]
        let given = function.inputs.map { constant($0.name, inputs[Int($0.name.dropFirst())!]) }
        let wanted = zip(function.outputs, outputs).map { constant($0.name, $1) }
        let measured = graph.dimensions.map { _ in outputs[0].shape[0] }
        return Golden(
            function: 0, dimensions: measured, inputs: given, outputs: wanted, relativeTolerance: 1e-4,
            absoluteTolerance: Float(max(1e-5, tolerance)))
    }

    private static func constant(_ name: String, _ tensor: TestTensor) -> Constant {
        Constant(name, tensor.type, HeapStorage(tensor.bytes))
    }

    private static func fileName(_ name: String) -> String {
        let letters = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return String(letters).split(separator: "-").joined(separator: "-")
    }
}
