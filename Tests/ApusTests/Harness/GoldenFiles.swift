import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus

/// Tests/Golden/VERSION holds files as that release wrote them; every later 1.x reads them and computes the same.
///
/// `APUS_WRITE_GOLDEN=1.1 swift test --filter GoldenFiles` makes the folder of a release. It is never written again.
final class GoldenFiles: XCTestCase {
    private let folder = CaseFiles.root.appendingPathComponent("Tests/Golden")

    func testFilesOfEveryReleaseStayReadable() throws {
        if let version = ProcessInfo.processInfo.environment["APUS_WRITE_GOLDEN"] { try write(version) }
        let releases = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.hasDirectoryPath }
        XCTAssertFalse(releases.isEmpty)
        for release in releases {
            let files = try FileManager.default.contentsOfDirectory(at: release, includingPropertiesForKeys: nil)
                .filter { $0.pathExtension == "apus" }
            XCTAssertFalse(files.isEmpty, release.path)
            for file in files { try check(file) }
        }
    }

    func testTheGoldenFilesHoldEveryLayout() throws {
        var layouts: [Layout] = [], dtypes: [DType] = []
        for file in try FileManager.default.contentsOfDirectory(
            at: folder.appendingPathComponent("1.0"), includingPropertiesForKeys: nil)
        where file.pathExtension == "apus" {
            for constant in try Model(path: file.path).graph.constants {
                layouts.append(constant.type.layout)
                dtypes.append(constant.type.dtype)
            }
        }
        let wanted: [Layout] = [
            .plain, .panels, .convPanels(groups: 1), .convPanels(groups: 2), .panels4, .convPanels4(groups: 2),
        ]
        for layout in wanted { XCTAssertTrue(layouts.contains(layout), "\(layout)") }
        for dtype in [DType.f32, .f16, .bf16, .i8, .i4] { XCTAssertTrue(dtypes.contains(dtype), dtype.name) }
    }

    /// Replays a file's pairs on every instruction set, at its own tolerance.
    private func check(_ file: URL) throws {
        let model = try Model(path: file.path)
        XCTAssertFalse(model.graph.goldens.isEmpty, "\(file.lastPathComponent) has no golden pair")
        for (number, golden) in model.graph.goldens.enumerated() {
            for isa in OperatorRun.instructionSets {
                let found = try Goldens.replay(golden, of: model.graph, isa: isa)
                for (f, w) in zip(found, golden.outputs) {
                    XCTAssertTrue(
                        try Difference.agree(
                            Tensor(f), Tensor(w), relative: Double(golden.relativeTolerance),
                            absolute: Double(golden.absoluteTolerance)),
                        "\(file.lastPathComponent), pair \(number), '\(w.name)' on \(InstructionSet.name(isa))")
                }
            }
        }
    }

    private func write(_ version: String) throws {
        let release = folder.appendingPathComponent(version)
        guard !FileManager.default.fileExists(atPath: release.path) else {
            return XCTFail("\(release.path) exists: the files of a release do not change")
        }
        try FileManager.default.createDirectory(at: release, withIntermediateDirectories: true)
        for graph in try GoldenGraphs.all() + [GoldenGraphs.training()] {
            try Goldens.add(to: graph)
            try ModelWriter.write(graph, to: release.appendingPathComponent("\(graph.name).apus").path)
        }
    }
}

extension GoldenGraphs {
    /// A step of training: dropout, batch norm, cross entropy and their gradients, momentum.
    static func training() throws -> Graph {
        let network = try Sequential(input: [6], name: "training", seed: 5) {
            Apus.Dense(8)
            Apus.BatchNorm()
            Apus.ReLU()
            Apus.Dropout(0.25)
            Apus.Dense(3)
        }
        return try TrainingProgram(
            network, losses: [SparseCategoricalCrossEntropy(fromLogits: true)], optimizer: SGD(momentum: 0.9),
            .init(maximumBatch: 4)
        ).graph
    }
}
