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

    func testALinkToNothingBecomesTheFile() throws {
        let folder = try ScratchFolder(), link = folder.file("link.apus")
        try files.createSymbolicLink(atPath: link, withDestinationPath: "missing.apus")
        try AtomicFile.write([2, 3], to: link)
        XCTAssertEqual(files.contents(atPath: link), Data([2, 3]))
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
