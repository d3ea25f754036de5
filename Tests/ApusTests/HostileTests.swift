import Apus
import ApusRuntime
import XCTest

final class HostileTests: XCTestCase {
    /// Writes the files that scripts/hostile.sh breaks, to APUS_HOSTILE_MODELS or build/fuzz/models.
    func testHostileModelsAreWritten() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = ProcessInfo.processInfo.environment["APUS_HOSTILE_MODELS"].map { URL(fileURLWithPath: $0) }
            ?? root.appendingPathComponent("build/fuzz/models")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let deep = folder.appendingPathComponent("deep")
        try FileManager.default.createDirectory(at: deep, withIntermediateDirectories: true)
        let network = try ModelLibrary.cifarResNet(depth: 2, widths: [4, 8, 16], input: [8, 8, 3])
        let graph = try network.exportGraph(maximumBatch: 4)
        try AtomicFile.write(try ModelWriter.bytes(graph), to: deep.appendingPathComponent("resnet.apus").path)
        for (name, make) in HostileModels.all {
            let bytes = try ModelWriter.bytes(try make())
            let path = folder.appendingPathComponent("\(name).apus").path
            try AtomicFile.write(bytes, to: path)
            let session = try Session(try Model(path: path))
            session.destroy()
        }
    }
}
