import Apus
import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import ApusConvert

/// A broken ONNX model gives an error of one line and no output, or, where what is broken is a weight, a name, or a part
/// that nothing needs, a valid file; never anything else.
final class OnnxHostileTests: XCTestCase {
    private let nowhere = URL(fileURLWithPath: "/nonexistent")

    /// Models that scripts/test-onnx.sh takes from ONNX's suite, where it has run, and one of each operator that is
    /// exported.
    private func models() throws -> [(name: String, bytes: [UInt8])] {
        let folder = CaseFiles.root.appendingPathComponent("build/onnx-hostile")
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        var models = try files.filter { $0.pathExtension == "onnx" }.sorted { $0.path < $1.path }.map {
            ($0.lastPathComponent, [UInt8](try Data(contentsOf: $0)))
        }
        let scratch = try ScratchFolder()
        for example in OperatorExample.all where OnnxExportTable.shared.find(example.op) != nil {
            let exporter = try Exporter.export(try example.graph(example.dtypes[0]), OnnxExportOptions()).get()
            let path = scratch.file("model.onnx")
            _ = try OnnxWriter.write(exporter.model, exporter.initializers, to: path)
            models.append((example.op.name, [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))))
        }
        return models
    }

    func testBrokenModelsGiveAnErrorOrAValidFile() throws {
        var random = Philox(seed: 11), refused = 0, converted = 0
        for (name, bytes) in try models() {
            XCTAssertNoThrow(try convert(bytes), name)
            var broken: [[UInt8]] = []
            for _ in 0..<40 { broken.append(Array(bytes[..<(Int(random.next32()) % bytes.count)])) }
            for _ in 0..<120 {
                var copy = bytes
                for _ in 0...Int(random.next32() % 3) { copy[Int(random.next32()) % copy.count] ^= 1 << (random.next32() % 8) }
                broken.append(copy)
            }
            for bytes in broken {
                do {
                    if try convert(bytes) { converted += 1 } else { refused += 1 }
                } catch let error as ApusError {
                    refused += 1
                    XCTAssertFalse(error.message.isEmpty, name)
                }
            }
        }
        XCTAssertGreaterThan(refused, 2000)
        XCTAssertGreaterThan(converted, 200)
    }

    /// Whether a model becomes a file, which then must be valid; not where parts of it are in the way.
    private func convert(_ bytes: [UInt8]) throws -> Bool {
        var options = OnnxOptions()
        options.limits.valueBytes = 1 << 24
        options.limits.bytes = 1 << 26
        options.limits.operations = 1 << 28
        options.limits.nodes = 1 << 13
        let model = try OnnxReader.read(bytes: bytes, folder: nowhere)
        guard case .success(let graph) = try Importer.graph(of: model, options) else { return false }
        guard graph.constants.reduce(0, { $0 + $1.type.byteSize }) < 1 << 26 else { return false }
        do {
            let file = HeapStorage(try ModelWriter.bytes(try Export.optimize(graph)))
            _ = try ApusRuntime.Model(bytes: file.bytes)
        } catch { XCTFail("not a valid file: \(error)") }
        return true
    }

    func testExternalDataOutsideOfTheFolderAreRefused() throws {
        let scratch = try ScratchFolder()
        let outside = URL(fileURLWithPath: scratch.file("outside")), folder = URL(fileURLWithPath: scratch.file("model"))
        let manager = FileManager.default
        for url in [outside, folder, folder.appendingPathComponent("inner")] {
            try manager.createDirectory(at: url, withIntermediateDirectories: true)
        }
        let data = Data(count: 64)
        for url in [outside, folder, folder.appendingPathComponent("inner")] {
            try data.write(to: url.appendingPathComponent("w.bin"))
        }
        for (link, target) in [("link.bin", "outside/w.bin"), ("linked", "outside")] {
            try manager.createSymbolicLink(
                at: folder.appendingPathComponent(link), withDestinationURL: URL(fileURLWithPath: scratch.file(target)))
        }
        XCTAssertEqual(mkfifo(folder.appendingPathComponent("pipe").path, 0o600), 0)
        func read(_ tensors: [(location: String, offset: String, length: String)]) throws {
            var f = OnnxFixture()
            for (i, tensor) in tensors.enumerated() {
                f.external("w\(i)", [4], location: tensor.location, offset: tensor.offset, length: tensor.length)
            }
            _ = try OnnxReader.read(bytes: f.bytes, folder: folder)
        }
        XCTAssertNoThrow(try read([("w.bin", "0", "16"), ("w.bin", "32", "16"), ("inner/w.bin", "0", "16")]))
        for location in [
            "../outside/w.bin", "inner/../../outside/w.bin", outside.appendingPathComponent("w.bin").path, "/etc/passwd",
            "link.bin", "linked/w.bin", "./w.bin", "inner//w.bin", "inner", "pipe", "missing.bin", "", "w.bin/",
        ] {
            XCTAssertThrowsError(try read([(location, "0", "16")]), location)
        }
        for (offset, length) in [
            ("0", "17"), ("56", "16"), ("64", "16"), ("9223372036854775807", "16"), ("9223372036854775800", "16"),
            ("-1", "16"), ("0", "-16"), ("0", "9223372036854775807"), ("18446744073709551616", "16"), ("x", "16"), ("0", "0"),
        ] {
            XCTAssertThrowsError(try read([("w.bin", offset, length)]), "\(offset), \(length)")
        }
        for second in ["0", "1", "8", "15"] {
            XCTAssertThrowsError(try read([("w.bin", "0", "16"), ("w.bin", second, "16")]), second) {
                XCTAssertTrue("\($0)".contains("of which another tensor has some"), "\($0)")
            }
        }
    }

    /// A few bytes that ask for much work are refused, and soon.
    func testBombsAreRefused() throws {
        // Functions of functions, each calling the next twice.
        var functions = OnnxFixture()
        functions.input("x", [.fixed(1)])
        functions.node("F0", ["x"], ["y"], domain: "bomb")
        functions.output("y", [.fixed(1)])
        for level in 0..<30 {
            functions.function("F\(level)", domain: "bomb", calls: level < 29 ? "F\(level + 1)" : nil)
        }
        expectRefused(functions, "too many")
        // Known values of a gigabyte each.
        var shapes = OnnxFixture()
        shapes.constant("s", [1 << 14, 1 << 14])
        shapes.node("ConstantOfShape", ["s"], ["v0"])
        for i in 0..<64 { shapes.node("Add", ["v\(i)", "v\(i)"], ["v\(i + 1)"]) }
        shapes.output("v64", [.fixed(1 << 14), .fixed(1 << 14)])
        expectRefused(shapes, "known value")
        // A product of matrices that would take hours.
        var products = OnnxFixture()
        products.constant("s", [1 << 13, 1 << 13])
        products.node("ConstantOfShape", ["s"], ["v0"])
        for i in 0..<64 { products.node("MatMul", ["v\(i)", "v0"], ["v\(i + 1)"]) }
        products.output("v64", [.fixed(1 << 13), .fixed(1 << 13)])
        expectRefused(products, "too many operations")
    }

    private func expectRefused(_ f: OnnxFixture, _ reason: String, line: UInt = #line) {
        do {
            var options = OnnxOptions()
            options.limits.bytes = 1 << 28
            options.limits.valueBytes = 1 << 28
            options.limits.operations = 1 << 30
            let result = try Importer.graph(of: try OnnxReader.read(bytes: f.bytes, folder: nowhere), options)
            guard case .failure(let blocked) = result else { return XCTFail("imported", line: line) }
            XCTAssertTrue(blocked.text.contains(reason), blocked.text, line: line)
        } catch {
            XCTAssertTrue("\(error)".contains(reason), "\(error)", line: line)
        }
    }
}
