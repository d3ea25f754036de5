import ApusRuntime
import Foundation
import XCTest

@testable import Apus

/// Training is killed at random moments, again and again, and ends with the bytes of training that was left alone.
///
/// APUS_KILLS is the number of kills, 10 by default; APUS_KILL_SEED draws the moments.
final class CheckpointCrashTests: XCTestCase {
    private let environment = ProcessInfo.processInfo.environment
    private var folder: ScratchFolder!

    override func setUpWithError() throws { folder = try ScratchFolder() }
    override func tearDown() { folder = nil }

    func testKilledTrainingEndsTheSame() throws {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("train-crash-test")
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw XCTSkip("no \(program.path)")
        }
        let kills = environment["APUS_KILLS"].flatMap { Int($0) } ?? 10
        var random = Philox(seed: environment["APUS_KILL_SEED"].flatMap { UInt64($0) } ?? 1)

        let whole = try empty("whole")
        let began = Date()
        XCTAssertTrue(try live(program, whole, killedAfter: nil))
        let duration = Date().timeIntervalSince(began)
        let expected = try outcome(whole)

        var killed = 0, finished = 0, torn = 0, interruptedWrites = 0
        while killed < kills || finished == 0 {
            let path = try empty("killed")
            // Several lives to an end.
            while true {
                let moment = Double(random.uniform()) * duration * 0.4
                if try live(program, path, killedAfter: killed < kills ? moment : nil) { break }
                killed += 1
                let checkpoint = "\(path)/run.apus"
                if FileManager.default.fileExists(atPath: checkpoint), !isWhole(checkpoint) { torn += 1 }
                interruptedWrites += try temporaries(path).isEmpty ? 0 : 1
            }
            finished += 1
            let found = try outcome(path)
            XCTAssertEqual(found.model, expected.model, "the exported model, run \(finished)")
            XCTAssertEqual(found.states, expected.states, "the states, run \(finished)")
            XCTAssertEqual(found.log, expected.log, "the log, run \(finished)")
            XCTAssertEqual(try temporaries(path), [])
        }
        XCTAssertEqual(torn, 0)
        print("\(killed) kills, \(interruptedWrites) within the writing of a file, \(finished) runs ended the same")
    }

    private func empty(_ name: String) throws -> String {
        let path = folder.file(name)
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// Runs the program; true if it came to its end.
    private func live(_ program: URL, _ path: String, killedAfter seconds: Double?) throws -> Bool {
        let process = Process()
        process.executableURL = program
        process.arguments = [path]
        try process.run()
        if let seconds {
            usleep(UInt32(seconds * 1e6))
            kill(process.processIdentifier, SIGKILL)
        }
        process.waitUntilExit()
        if process.terminationReason == .uncaughtSignal {
            XCTAssertEqual(process.terminationStatus, SIGKILL)
            return false
        }
        XCTAssertEqual(process.terminationStatus, 0)
        return true
    }

    private func isWhole(_ checkpoint: String) -> Bool {
        guard (try? ApusRuntime.Model(path: checkpoint)) != nil else { return false }
        return (try? WeightsHash(checkpoint))?.matches ?? false
    }

    private func temporaries(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".tmp") }
    }

    /// The exported file, every state at the end, and the log but for its seconds.
    private func outcome(_ path: String) throws -> (model: Data, states: [[UInt8]], log: [String]) {
        let graph = try ApusRuntime.Model(path: "\(path)/run.apus").graph
        let log = try String(contentsOfFile: "\(path)/log.csv", encoding: .utf8).split(separator: "\n")
        return (
            try Data(contentsOf: URL(fileURLWithPath: "\(path)/final.apus")),
            graph.states.map { $0.initial.map { [UInt8]($0.bytes) } ?? [] },
            log.map { $0.split(separator: ",").dropLast().joined(separator: ",") }
        )
    }
}
