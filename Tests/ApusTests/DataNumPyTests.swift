import ApusGraph
import XCTest

@testable import Apus

final class DataNumPyTests: XCTestCase {
    private func parse(_ content: [UInt8]) throws -> Tensor {
        try content.span.withUnsafeBytes { bytes throws(ApusError) in try NPY.parse(bytes, name: "a.npy") }
    }

    func testReadsWhatNumPyWrote() throws {
        XCTAssertEqual(
            try parse(DataFixtures.npyFloats), try Tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5] as [Float], shape: [2, 3]))
        XCTAssertEqual(
            try parse(DataFixtures.npyFortran), try Tensor((0..<24).map { Int16($0) }, shape: [2, 3, 4]))
        XCTAssertEqual(try parse(DataFixtures.npyVersion2), try Tensor([1, -2] as [Int64]))
        XCTAssertEqual(try parse(DataFixtures.npyVersion3), try Tensor([2.5] as [Float16], shape: []))
        XCTAssertEqual(try parse(DataFixtures.npyBools), try Tensor([true, false, true]))
        XCTAssertFails(.unsupported, "a.npy", ">i4", "<i4") { try self.parse(DataFixtures.npyBigEndian) }
    }

    func testWritesTheBytesOfNumPy() throws {
        XCTAssertEqual(try NPY.encode(parse(DataFixtures.npyFloats), name: ""), DataFixtures.npyFloats)
        XCTAssertEqual(try NPY.encode(parse(DataFixtures.npyBools), name: ""), DataFixtures.npyBools)
        XCTAssertFails(.unsupported, "bf16") { try NPY.encode(.zeros(.bf16, shape: [1]), name: "x") }
    }

    func testRoundTripsEveryType() throws {
        let scratch = try ScratchFolder()
        for dtype in NPYHeader.types.map(\.dtype) {
            for shape in [[], [0], [6], [2, 3], [1, 2, 1, 3]] {
                let count = shape.reduce(1, *)
                let tensor = try Tensor((0..<count).map { Double($0 * 20) }, shape: shape).converted(to: dtype)
                try NPY.write(tensor, to: scratch.file("t.npy"))
                XCTAssertEqual(try NPY.read(scratch.file("t.npy")), tensor, "\(tensor)")
            }
        }
    }

    func testReadsAndWritesNPZ() throws {
        let scratch = try ScratchFolder()
        let deflated = try NPZ.read(scratch.write(DataFixtures.npzDeflated, "d.npz"))
        XCTAssertEqual(deflated, [
            NamedTensor("a", try .zeros(.f32, shape: [4, 100])), NamedTensor("b", try Tensor([0, 1, 2] as [UInt8])),
        ])
        let stored = try NPZ.read(scratch.write(DataFixtures.npzStored, "s.npz"), array: "x")
        XCTAssertEqual(stored, try Tensor([1.5], shape: [1, 1]))
        for compressed in [false, true] {
            try NPZ.write(deflated, to: scratch.file("w.npz"), compressed: compressed)
            XCTAssertEqual(try NPZ.read(scratch.file("w.npz")), deflated)
        }
        try NPZ.write([], to: scratch.file("none.npz"))
        XCTAssertEqual(try NPZ.read(scratch.file("none.npz")), [])
        XCTAssertFails(.badFile, "d.npz", "\"c\"", "a") { try NPZ.read(scratch.file("d.npz"), array: "c") }
        XCTAssertFails(.badFile, "x.npz", "zip") { try NPZ.read(scratch.write("hello", "x.npz")) }
    }

    func testHeaderErrors() throws {
        func header(_ text: String) throws -> NPYHeader {
            try Array(text.utf8).span.withUnsafeBytes { bytes throws(ApusError) in
                try NPYHeader(parsing: bytes, name: "h.npy")
            }
        }
        XCTAssertEqual(
            try header(" {\"shape\":(1,2 , 3),'fortran_order':True,'descr':'<f4'}\n"),
            NPYHeader(descr: "<f4", fortranOrder: true, shape: [1, 2, 3]))
        let rest = "'fortran_order': False, 'shape': (1,)}"
        XCTAssertFails(.badFile, "h.npy", "string") { try header("{'descr': [('a', '<f4')], \(rest)") }
        XCTAssertFails(.badFile, "lacks") { try header("{\(rest)") }
        XCTAssertFails(.badFile, "'more'") { try header("{'more': 1, \(rest)") }
        XCTAssertFails(.badFile, "dimension") { try header("{'descr': '<f4', 'shape': (-1,)}") }
        XCTAssertFails(.badFile, "dimension") { try header("{'descr': '<f4', 'shape': (99999999999999999999,)}") }
        XCTAssertFails(.badFile, "broken") { try header("") }
        XCTAssertFails(.badFile, "True or False") { try header("{'fortran_order': None}") }
    }
}
