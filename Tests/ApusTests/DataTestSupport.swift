import ApusGraph
import Foundation
import XCTest

@testable import Apus

/// The folder of real data that lies beside the package on some machines.
func sharedData(_ path: String) throws -> String {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let full = package.deletingLastPathComponent().appendingPathComponent("shared/data/\(path)").path
    guard FileManager.default.fileExists(atPath: full) else { throw XCTSkip("no real data at \(full)") }
    return full
}

/// The digits that the package bundles.
func bundledDigits(_ path: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Examples/digits/data/\(path)").path
}

/// A folder of one test's files, gone with it.
final class ScratchFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "apus-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ content: [UInt8], _ name: String) throws -> String {
        let folder = URL(fileURLWithPath: file(name)).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(content).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }

    func write(_ text: String, _ name: String) throws -> String { try write(Array(text.utf8), name) }
}

/// Checks that `body` fails with an `ApusError` of one line that has all of `parts`.
func XCTAssertFails(
    _ code: ApusError.Code, _ parts: String..., file: StaticString = #filePath, line: UInt = #line,
    _ body: () throws -> Any
) {
    do {
        XCTFail("found \(try body()), wanted an error", file: file, line: line)
    } catch let error as ApusError {
        XCTAssertEqual(error.code, code, error.message, file: file, line: line)
        XCTAssertFalse(error.message.contains("\n"), error.message, file: file, line: line)
        for part in parts {
            XCTAssertTrue(
                error.message.contains(part), "\"\(error.message)\" lacks \"\(part)\"", file: file, line: line)
        }
    } catch {
        XCTFail("found \(error), wanted an ApusError", file: file, line: line)
    }
}
