import Apus
import XCTest

/// How `AtomicFile` replaces what is there.
final class FileWritingTests: XCTestCase {
    private let files = FileManager.default

    func testALinkStaysALink() throws {
        let folder = try ScratchFolder(), target = try folder.write([1], "models/real.apus"), link = folder.file("link.apus")
        try files.createSymbolicLink(atPath: link, withDestinationPath: "models/real.apus")
        try AtomicFile.write([2, 3], to: link)
        XCTAssertEqual(try files.destinationOfSymbolicLink(atPath: link), "models/real.apus")
        XCTAssertEqual(files.contents(atPath: target), Data([2, 3]))
        XCTAssertEqual(try files.contentsOfDirectory(atPath: folder.file("models")), ["real.apus"])
    }

    func testALinkToNothingStaysToo() throws {
        let folder = try ScratchFolder(), link = folder.file("link.apus")
        try files.createSymbolicLink(atPath: link, withDestinationPath: "missing.apus")
        try AtomicFile.write([2, 3], to: link)
        XCTAssertEqual(try files.destinationOfSymbolicLink(atPath: link), "missing.apus")
        XCTAssertEqual(files.contents(atPath: folder.file("missing.apus")), Data([2, 3]))
        try files.createSymbolicLink(atPath: folder.file("round"), withDestinationPath: "round")
        XCTAssertFails(.ioError, "/round: ") { try AtomicFile.write([2], to: folder.file("round")) }
    }

    /// As /dev/stdout is where it leads to a file.
    func testWhatIsOpenIsWrittenTo() throws {
        let folder = try ScratchFolder(), path = try folder.write([1], "open.apus"), link = folder.file("stdout")
        let handle = try XCTUnwrap(FileHandle(forUpdatingAtPath: path))
        try files.createSymbolicLink(atPath: link, withDestinationPath: "/proc/self/fd/\(handle.fileDescriptor)")
        try AtomicFile.write([2, 3], to: link)
        XCTAssertNotNil(try? files.destinationOfSymbolicLink(atPath: link))
        XCTAssertEqual(try handle.readToEnd(), Data([1, 2, 3]))
    }

    func testShortNames() throws {
        let folder = try ScratchFolder(), before = files.currentDirectoryPath
        defer { _ = files.changeCurrentDirectoryPath(before) }
        XCTAssertTrue(files.changeCurrentDirectoryPath(folder.path))
        for name in ["m", "é", "日", "-", ".m"] {
            try AtomicFile.write([7], to: name)
            XCTAssertEqual(files.contents(atPath: folder.file(name)), Data([7]), name)
        }
        try files.createDirectory(atPath: "a", withIntermediateDirectories: false)
        for name in ["a/", "b/", "/"] { XCTAssertFails(.ioError, name) { try AtomicFile.write([7], to: name) } }
        XCTAssertFails(.ioError, "'' names no file") { try AtomicFile.write([7], to: "") }
        XCTAssertEqual(try files.contentsOfDirectory(atPath: folder.path).count, 6)
    }

    func testPermissionsStay() throws {
        let folder = try ScratchFolder(), path = try folder.write([1], "secret.apus")
        for mode in [0o600, 0o640, 0o444] {
            try files.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            try AtomicFile.write([2], to: path)
            XCTAssertEqual(try files.attributesOfItem(atPath: path)[.posixPermissions] as? Int, mode)
        }
    }

    func testAFailureLeavesWhatWasThere() throws {
        let folder = try ScratchFolder(), path = try folder.write([1], "a.apus")
        XCTAssertFails(.ioError, "stopped") {
            try AtomicFile.write(to: path) { sink throws(ApusError) in
                try sink.write([2])
                throw ApusError(.ioError, "stopped")
            }
        }
        XCTAssertEqual(files.contents(atPath: path), Data([1]))
        XCTAssertEqual(try files.contentsOfDirectory(atPath: folder.path), ["a.apus"])
    }
}
