import ApusGraph
import XCTest

@testable import Apus

/// Every truncation and every single-bit flip of small files gives a value or an `ApusError`, never a trap.
final class DataHostileTests: XCTestCase {
    private typealias Reader = (UnsafeRawBufferPointer) throws(ApusError) -> Void

    private func survive(_ content: [UInt8], _ read: Reader) {
        var refused = 0
        func attempt(_ bytes: [UInt8]) {
            do throws(ApusError) {
                try bytes.span.withUnsafeBytes { bytes throws(ApusError) in try read(bytes) }
            } catch {
                refused += 1
                XCTAssertTrue(error.message.hasPrefix("f"), error.message)
            }
        }
        attempt(content)
        XCTAssertEqual(refused, 0)
        for length in content.indices { attempt(Array(content[..<length])) }
        XCTAssertGreaterThan(refused, 0)
        var flipped = content
        for index in content.indices {
            for bit in 0..<8 {
                flipped[index] ^= 1 << bit
                attempt(flipped)
                flipped[index] ^= 1 << bit
            }
        }
    }

    func testIDX() throws {
        let idx: [UInt8] = [0, 0, 0x0D, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]
        survive(idx) { bytes throws(ApusError) in _ = try IDX.parse(bytes, name: "f") }
    }

    func testNPY() throws {
        for file in [DataFixtures.npyFloats, DataFixtures.npyFortran, DataFixtures.npyVersion3] {
            survive(file) { bytes throws(ApusError) in _ = try NPY.parse(bytes, name: "f") }
        }
    }

    func testNPZ() throws {
        for file in [DataFixtures.npzDeflated, DataFixtures.npzStored] {
            survive(file) { bytes throws(ApusError) in _ = try NPZ.parse(bytes, name: "f") }
        }
    }

    func testPictures() throws {
        for file in [DataFixtures.pngRGBA, DataFixtures.pngPalette, DataFixtures.jpeg] {
            for channels in [ImageFile.Channels.gray, .rgb] {
                survive(file) { bytes throws(ApusError) in
                    _ = try ImageFile.decode(bytes, channels: channels, name: "f")
                }
            }
        }
    }

    func testCSV() throws {
        survive(Array("a,\"b\"\n1,\"x\"\r\n2,y".utf8)) { bytes throws(ApusError) in
            var reader = CSVReader(bytes, separator: UInt8(ascii: ","), name: "f")
            while try reader.next() {}
            if bytes.count == 3 { throw .file("f: a table of three bytes has no rows") }
        }
    }

    func testGzip() throws {
        let scratch = try ScratchFolder()
        let tensor = try Tensor((0..<64).map { UInt8($0 % 16) }, shape: [1, 8, 8])
        try IDX.write(tensor, to: scratch.file("a.gz"))
        let content = [UInt8](try Data(contentsOf: URL(fileURLWithPath: scratch.file("a.gz"))))
        XCTAssertEqual(Array(content[..<2]), [0x1F, 0x8B])
        var changed = 0
        for length in content.indices {
            let path = try scratch.write(Array(content[..<length]), "b.gz")
            XCTAssertThrowsError(try IDX.read(path), "\(length)") { XCTAssertTrue($0 is ApusError) }
        }
        for index in content.indices {
            for bit in 0..<8 {
                var flipped = content
                flipped[index] ^= 1 << bit
                let path = try scratch.write(flipped, "b.gz")
                if let read = try? IDX.read(path), read != tensor { changed += 1 }
            }
        }
        XCTAssertEqual(changed, 0, "the checksum lets no changed content through")
    }

    func testDimensionsThatOverflow() throws {
        for field in ["0", "18446744073709551615", "9223372036854775807", "4611686018427387904", "2147483648"] {
            let text = "{'descr': '<f8', 'fortran_order': True, 'shape': (\(field), \(field), 0, 3), }\n"
            let file = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
            _ = try? file.span.withUnsafeBytes { bytes throws(ApusError) in try NPY.parse(bytes, name: "f") }
        }
        for size in [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF] as [UInt32] {
            let dimension = withUnsafeBytes(of: size.bigEndian) { Array($0) }
            let file: [UInt8] = [0, 0, 0x0E, 4] + dimension + dimension + dimension + dimension
            XCTAssertEqual(
                (try? file.span.withUnsafeBytes { bytes throws(ApusError) in try IDX.parse(bytes, name: "f") }) != nil,
                size == 0)
        }
    }

    func testZipFieldsAtTheirExtremes() throws {
        for file in [DataFixtures.npzDeflated, DataFixtures.npzStored] {
            for index in 0..<file.count - 4 {
                for value in [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF] as [UInt32] {
                    var changed = file
                    withUnsafeBytes(of: value.littleEndian) { changed.replaceSubrange(index..<index + 4, with: $0) }
                    _ = try? changed.span.withUnsafeBytes { bytes throws(ApusError) in try NPZ.parse(bytes, name: "f") }
                }
            }
        }
    }

    func testMembersMayNotShareBytes() throws {
        let scratch = try ScratchFolder()
        try NPZ.write([NamedTensor("a", .zeros(.u8, shape: [1000])), NamedTensor("b", .zeros(.u8, shape: [1000]))],
            to: scratch.file("a.npz"))
        var content = [UInt8](try Data(contentsOf: URL(fileURLWithPath: scratch.file("a.npz"))))
        let directory = content.count - 22 - 2 * (46 + 5)
        let entry = Array(content[directory..<directory + 51])
        content.replaceSubrange(directory + 51..<directory + 102, with: entry)
        content.removeSubrange(30 + 5..<directory - 30 - 5 - 1000)
        let offset = withUnsafeBytes(of: UInt32(content.count - 22 - 102).littleEndian) { Array($0) }
        content.replaceSubrange(content.count - 6..<content.count - 2, with: offset)
        XCTAssertFails(.badFile, "overlap") { try NPZ.read(scratch.write(content, "b.npz")) }
    }
}
