import Apus
import ApusGraph
import Foundation
import XCTest

@testable import ApusConvert

/// Any bytes give a model or an error, and external data stay in the model's folder.
final class OnnxReaderTests: XCTestCase {
    private let nowhere = URL(fileURLWithPath: "/nonexistent")

    /// A small convolutional model with a reshape by a computed shape.
    static func convolutional() -> OnnxFixture {
        var f = OnnxFixture()
        f.input("x", [.named("batch"), .fixed(2), .fixed(4), .fixed(4)])
        f.constant("w", [3, 2, 3, 3], (0..<54).map { Float($0) / 54 - 0.5 })
        f.constant("zero", [0])
        f.constant("rest", [-1])
        f.node("Conv", ["x", "w"], ["c"], ints: ["pads": [1, 1, 1, 1]])
        f.node("Relu", ["c"], ["r"])
        f.node("Shape", ["r"], ["s"])
        f.node("Gather", ["s", "zero"], ["n"])
        f.node("Concat", ["n", "rest"], ["t"], int: ["axis": 0])
        f.node("Reshape", ["r", "t"], ["y"])
        f.output("y", [.named("batch"), .fixed(48)])
        return f
    }

    func testEveryTruncationIsAnErrorOrAModel() throws {
        let bytes = OnnxReaderTests.convolutional().bytes
        XCTAssertNoThrow(try OnnxReader.read(bytes: bytes, folder: nowhere))
        var errors = 0
        for length in 0..<bytes.count {
            do { _ = try OnnxReader.read(bytes: Array(bytes[..<length]), folder: nowhere) } catch { errors += 1 }
        }
        // The graph is whole only when nothing but the operator sets is missing.
        XCTAssertGreaterThan(errors, bytes.count - 10)
    }

    func testFlippedBitsAreAnErrorOrAGraph() throws {
        let bytes = OnnxReaderTests.convolutional().bytes
        var random = Philox(seed: 3), refused = 0
        for _ in 0..<2000 {
            var broken = bytes
            for _ in 0...Int(random.next32() % 3) { broken[Int(random.next32()) % broken.count] ^= 1 << (random.next32() % 8) }
            do {
                let model = try OnnxReader.read(bytes: broken, folder: nowhere)
                if case .failure = try Importer.graph(of: model, OnnxOptions()) { refused += 1 }
            } catch { refused += 1 }
        }
        XCTAssertGreaterThan(refused, 500)
    }

    func testNestedGraphsAreBounded() throws {
        var graph = OnnxMessage()
        for _ in 0..<10_000 {
            var outer = OnnxMessage()
            outer.message(1) { node in
                node.text(4, "If")
                node.message(5) { attribute in
                    attribute.text(1, "then_branch")
                    attribute.bytes(6, graph.bytes)
                    attribute.varint(20, 5)
                }
            }
            graph = outer
            if graph.bytes.count > 1 << 20 { break }
        }
        var model = OnnxMessage()
        model.varint(1, 8)
        model.bytes(7, graph.bytes)
        XCTAssertThrowsError(try OnnxReader.read(bytes: model.bytes, folder: nowhere)) {
            XCTAssertTrue(($0 as? ApusError)?.message.contains("nested more than") ?? false, "\($0)")
        }
    }

    func testAModelWithoutAGraphIsRefused() {
        XCTAssertThrowsError(try OnnxReader.read(bytes: [8, 8], folder: nowhere))
        XCTAssertThrowsError(try OnnxReader.read(bytes: [], folder: nowhere))
        XCTAssertThrowsError(try OnnxReader.read(bytes: [UInt8](repeating: 0xFF, count: 64), folder: nowhere))
    }

    func testExternalDataLieInTheModelsFolder() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-onnx-\(getpid())")
        let inner = folder.appendingPathComponent("model")
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let elements: [Float] = [1, 2, 3, 4]
        let data = elements.withUnsafeBytes { Data($0) }
        try data.write(to: inner.appendingPathComponent("w.bin"))
        try data.write(to: folder.appendingPathComponent("outside.bin"))
        try FileManager.default.createSymbolicLink(
            at: inner.appendingPathComponent("link.bin"), withDestinationURL: folder.appendingPathComponent("outside.bin"))
        func read(_ location: String) throws -> OnnxModel {
            var f = OnnxFixture()
            f.external("w", [4], location: location)
            return try OnnxReader.read(bytes: f.bytes, folder: inner)
        }
        let model = try read("w.bin")
        XCTAssertEqual(try model.graph.initializers[0].constant?.elements(), [1, 2, 3, 4])
        for location in ["../outside.bin", "link.bin", "/etc/passwd", "./w.bin", "missing.bin", ""] {
            XCTAssertThrowsError(try read(location), location)
        }
    }
}
