import ApusGraph
import XCTest

@testable import Apus

final class DataImageTests: XCTestCase {
    private func decode(_ content: [UInt8], _ channels: ImageFile.Channels) throws -> Tensor {
        try content.span.withUnsafeBytes { bytes throws(ApusError) in
            try ImageFile.decode(bytes, channels: channels, name: "p")
        }
    }

    private func picture() throws -> Tensor { try Tensor(DataFixtures.picture, shape: [5, 7, 3]) }

    func testDecodesPNGAsPillowDoes() throws {
        for file in [DataFixtures.pngRGB, DataFixtures.pngRGBA, DataFixtures.pngPalette] {
            XCTAssertEqual(try decode(file, .rgb), try picture())
            XCTAssertEqual(try decode(file, .gray), try Tensor(DataFixtures.gray, shape: [5, 7, 1]))
        }
        XCTAssertEqual(
            try decode(DataFixtures.pngGray16, .gray),
            try Tensor([0, 40, 80, 120, 160, 200] as [UInt8], shape: [2, 3, 1]))
    }

    func testDecodesJPEGAsPillowDoes() throws {
        let pixels = try decode(DataFixtures.jpeg, .rgb)
        XCTAssertEqual(pixels.shape, [5, 7, 3])
        for (found, wanted) in zip(try pixels.array(of: UInt8.self), DataFixtures.jpegPixels) {
            XCTAssertLessThanOrEqual(abs(Int(found) - Int(wanted)), 2)
        }
        let gray = try decode(DataFixtures.jpeg, .gray)
        XCTAssertEqual(gray.shape, [5, 7, 1])
        for (found, wanted) in zip(try gray.array(of: UInt8.self), DataFixtures.gray) {
            XCTAssertLessThanOrEqual(abs(Int(found) - Int(wanted)), 8)
        }
    }

    func testRefusesBrokenPictures() throws {
        XCTAssertFails(.badFile, "p:", "PNG or JPEG") { try self.decode([1, 2, 3, 4, 5], .rgb) }
        XCTAssertFails(.badFile, "p:", "PNG or JPEG") { try self.decode([], .rgb) }
        XCTAssertFails(.badFile, "p:") { try self.decode(Array(DataFixtures.pngRGB.dropLast(30)), .rgb) }
        XCTAssertFails(.badFile, "p:", "Premature") { try self.decode(Array(DataFixtures.jpeg.dropLast(12)), .rgb) }
        var huge = DataFixtures.jpeg
        let frame = huge.indices.first { huge[$0] == 0xFF && huge[$0 + 1] == 0xC0 }!
        huge.replaceSubrange(frame + 5..<frame + 9, with: [0xF0, 0, 0xF0, 0])
        XCTAssertFails(.unsupported, "61440", "67108864") { try self.decode(huge, .rgb) }
    }

    func testPNGRoundTrips() throws {
        let scratch = try ScratchFolder()
        try ImageFile.writePNG(picture(), to: scratch.file("p.png"))
        XCTAssertEqual(try ImageFile.read(scratch.file("p.png")), try picture())
        let gray = try Tensor(DataFixtures.gray, shape: [5, 7])
        try ImageFile.writePNG(gray, to: scratch.file("g.png"))
        XCTAssertEqual(try ImageFile.read(scratch.file("g.png"), channels: .gray), try gray.reshaped([5, 7, 1]))
        XCTAssertFails(.badShape, "x.png", "f32") { try ImageFile.writePNG(.zeros(.f32, shape: [2, 2]), to: "x.png") }
        XCTAssertFails(.ioError, "nowhere") { try ImageFile.writePNG(gray, to: scratch.file("nowhere/x.png")) }
    }

    func testResizesAsPillowDoes() throws {
        let floats = try picture().converted(to: .f32)
        for (height, width, wanted) in [(3, 4, DataFixtures.resized3x4), (6, 9, DataFixtures.resized6x9)] {
            let found = try ImageFile.resize(floats, height: height, width: width)
            XCTAssertEqual(found.shape, [height, width, 3])
            for (a, b) in zip(try found.array(of: Float.self), wanted) { XCTAssertEqual(a, b, accuracy: 2e-3) }
            let bytes = try ImageFile.resize(picture(), height: height, width: width)
            for (a, b) in zip(try bytes.array(of: UInt8.self), wanted) { XCTAssertEqual(Float(a), b, accuracy: 0.502) }
        }
        XCTAssertEqual(try ImageFile.resize(floats, height: 5, width: 7), floats)
        XCTAssertFails(.invalidArgument, "0") { try ImageFile.resize(floats, height: 0, width: 7) }
    }

    func testReadsAFolderOfClasses() throws {
        let scratch = try ScratchFolder()
        _ = try scratch.write(DataFixtures.pngRGB, "set/wren/b.PNG")
        _ = try scratch.write(DataFixtures.jpeg, "set/wren/a.jpg")
        _ = try scratch.write("not a picture", "set/wren/notes.txt")
        _ = try scratch.write(DataFixtures.pngRGB, "set/Swift/1.png")
        _ = try scratch.write("ignored", "set/README")
        let folder = try Dataset.imageFolder(scratch.file("set"), height: 5, width: 7)
        XCTAssertEqual(folder.classNames, ["Swift", "wren"])
        XCTAssertEqual(folder.targets[0].tensor, try Tensor([0, 1, 1] as [Int32]))
        XCTAssertEqual(folder.inputs[0].tensor.shape, [3, 5, 7, 3])
        XCTAssertEqual(
            try folder.inputs[0].tensor.rows([0, 2]).reshaped([10, 7, 3]), try .concatenated([picture(), picture()]))
        XCTAssertEqual(
            try Dataset.imageFolder(scratch.file("set"), height: 2, width: 2, channels: .gray).inputs[0].tensor.shape,
            [3, 2, 2, 1])
        XCTAssertFails(.invalidArgument, "-3") { try Dataset.imageFolder(scratch.file("set"), height: -3, width: 2) }
        _ = try scratch.write("broken", "set/wren/c.jpeg")
        XCTAssertFails(.badFile, "wren/c.jpeg") { try Dataset.imageFolder(scratch.file("set"), height: 2, width: 2) }
        _ = try scratch.write("", "empty/class/readme")
        XCTAssertFails(.badFile, "empty/class", ".png") {
            try Dataset.imageFolder(scratch.file("empty"), height: 2, width: 2)
        }
        XCTAssertFails(.badFile, "subfolders") {
            try Dataset.imageFolder(scratch.file("empty/class"), height: 2, width: 2)
        }
        XCTAssertFails(.ioError, "/gone") { try Dataset.imageFolder(scratch.file("gone"), height: 2, width: 2) }
    }
}
