import ApusGraph
import ApusRuntime
import XCTest

import struct Apus.ModelWriter

/// The bytes of a file, section 1 of Docs/Format.md.
final class FileLayoutTests: XCTestCase {
    private func file() throws -> [UInt8] {
        let graph = Graph("layout")
        graph.constants = [Constant("c", TensorType(.f32, [3]), HeapStorage([UInt8](repeating: 0, count: 12)))]
        let builder = GraphBuilder(graph, function: "predict")
        builder.output("y", try builder(.neg, builder.constant(0)))
        builder.finish()
        return try ModelWriter.bytes(graph)
    }

    /// The number of zeros in field 14 of a file whose weights are 64 bytes.
    private func padding(of file: [UInt8]) throws -> Int {
        let end = file.count - 64 - 2
        XCTAssertEqual(Array(file[end..<end + 2]), [15 << 3 | 2, 64])
        return try XCTUnwrap((0..<64).first { file[end - $0 - 2] == 14 << 3 | 2 && file[end - $0 - 1] == UInt8($0) })
    }

    private func open(_ bytes: [UInt8]) throws { _ = try bytes.withUnsafeBytes { try Model(bytes: $0) } }

    func testTheFirstElevenBytesAndTheAlignment() throws {
        let file = try file()
        XCTAssertEqual(Array(file[0..<7]), [0x0A, 4, 0x41, 0x50, 0x55, 0x53, 0x15])
        XCTAssertEqual(file.count % 64, 0)
        XCTAssertNoThrow(try open(file))
    }

    func testWeightsThatAreNotAlignedAreRefused() throws {
        var file = try file()
        let padding = try padding(of: file), end = file.count - 64 - 2
        file[end - padding - 1] += 1
        file.insert(0, at: end)
        XCTAssertThrowsError(try open(file)) { XCTAssertTrue("\($0)".contains("wanted a multiple of 64"), "\($0)") }
    }

    func testPaddingOfWholeLinesIsAllowed() throws {
        var file = try file()
        let padding = try padding(of: file), end = file.count - 64 - 2
        guard padding < 64 else { return XCTFail("padding of \(padding)") }
        file[end - padding - 1] = UInt8(padding + 64)
        file.insert(contentsOf: [UInt8](repeating: 0, count: 64), at: end)
        XCTAssertNoThrow(try open(file))
    }

    func testBytesAfterTheWeightsAreRefused() throws {
        XCTAssertThrowsError(try open(try file() + [0]))
    }
}
