import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus

/// convert-model --quantize on files.
final class CLIQuantizeTests: XCTestCase {
    private func metadata(_ path: String, _ key: String) throws -> String? {
        try ApusRuntime.Model(path: path).graph.metadata.first { $0.key == key }?.value
    }

    func testCalibratesOnSamplesAndReports() throws {
        let f = try CLIFixture()
        _ = try f.samples(8, "x.npy")
        let out = f.file("int8.apus"), page = f.file("report.html")
        let run = try CLIRun(
            "convert-model",
            [
                f.model, "-o", out, "--quantize", "int8", "--calibrate", f.file("x.npy"), "--quantization-report", page, "--json",
            ])
        run.expectSuccess()
        let report = try XCTUnwrap(try run.json()["quantization"] as? [String: Any])
        XCTAssertEqual(report["calibrationSamples"] as? Int, 8)
        XCTAssertEqual(report["method"] as? String, "mse")
        XCTAssertGreaterThan(try XCTUnwrap(report["outputNoise"] as? Double), 20)
        let html = try String(contentsOfFile: page, encoding: .utf8)
        XCTAssertTrue(html.hasPrefix("<!DOCTYPE html>"))
        XCTAssertFalse(html.contains("src="), "one page, nothing beside it")
        let operations = try ApusRuntime.Model(path: out).graph.functions[0].nodes.map { $0.op.name }
        XCTAssertEqual(operations.first, "Quantize")
        XCTAssertTrue(operations.contains("QuantizedConv2D"))
        XCTAssertEqual(try metadata(out, "quantization")?.contains("\"scheme\":\"int8\""), true)
        XCTAssertNil(try metadata(out, "calibration"))
        try CLIRun("apus", ["verify", out]).expectSuccess()
    }

    func testSyntheticSamplesLeaveAStamp() throws {
        let f = try CLIFixture(), out = f.file("int8.apus")
        try CLIRun("convert-model", [f.model, "-o", out, "--quantize", "int8", "--calibrate", "synthetic", "--quiet"])
            .expectSuccess()
        XCTAssertEqual(try metadata(out, "calibration"), "uncalibrated")
    }

    func testWithoutTimesTheSameInputGivesTheSameBytes() throws {
        let f = try CLIFixture()
        let files = try ["one.apus", "two.apus"].map { name in
            try CLIRun(
                "convert-model",
                [f.model, "-o", f.file(name), "--quantize", "int8", "--calibrate", "synthetic", "--no-timing", "--quiet"]
            ).expectSuccess()
            XCTAssertEqual(try metadata(f.file(name), "quantization")?.contains("Microseconds"), false)
            return try Data(contentsOf: URL(fileURLWithPath: f.file(name)))
        }
        XCTAssertEqual(files[0], files[1])
    }

    /// Synthetic samples are drawn one by one, as many as asked for.
    func testDrawsAsManySyntheticSamplesAsAsked() throws {
        let f = try CLIFixture()
        let run = try CLIRun(
            "convert-model",
            [
                f.model, "-o", f.file("int8.apus"), "--quantize", "int8", "--calibrate", "synthetic", "--calibration-samples",
                "130", "--json",
            ])
        run.expectSuccess()
        XCTAssertEqual((try run.json()["quantization"] as? [String: Any])?["calibrationSamples"] as? Int, 130)
    }

    /// The greatest resident set of calibration on 10 and on 10,000 samples differs by 5 % at most.
    func testPeakMemoryDoesNotGrowWithSamples() throws {
        let f = try CLIFixture()
        _ = try f.samples(10_000, "x.npy")
        for source in [f.file("x.npy"), "synthetic"] {
            func peak(_ samples: Int) throws -> Double {
                try CLIRun.peakMemory(
                    "convert-model",
                    [
                        f.model, "-o", f.file("int8.apus"), "--quantize", "int8", "--calibrate", source, "--calibration-samples",
                        "\(samples)", "--quiet",
                    ])
            }
            let few = try peak(10), many = try peak(10_000)
            XCTAssertLessThanOrEqual(abs(many - few), 0.05 * few, "\(source): \(few) and \(many) KB")
        }
    }

    func testStepsBeforehandAreNamed() throws {
        let f = try CLIFixture()
        _ = try f.samples(8, "x.npy")
        let run = try CLIRun(
            "convert-model",
            [
                f.model, "-o", f.file("int8.apus"), "--quantize", "int8", "--calibrate", f.file("x.npy"), "--equalize",
                "--correct-bias", "--smooth", "0.5", "--json",
            ])
        run.expectSuccess()
        let report = try XCTUnwrap(try run.json()["quantization"] as? [String: Any])
        let steps = try XCTUnwrap(report["steps"] as? [[String: Any]])
        XCTAssertEqual(steps.map { $0["name"] as? String }, ["equalize", "smooth", "correct bias"])
        XCTAssertEqual(report["calibrationSamples"] as? Int, 8)
    }

    func testMisuse() throws {
        let f = try CLIFixture(), out = f.file("int8.apus")
        func convert(_ arguments: String...) throws -> CLIRun {
            try CLIRun("convert-model", [f.model, "-o", out, "--quiet"] + arguments)
        }
        XCTAssertEqual(try convert("--quantize", "int8").code, 64)
        XCTAssertEqual(try convert("--calibrate", "synthetic").code, 64)
        XCTAssertEqual(try convert("--quantize", "int9", "--calibrate", "synthetic").code, 64)
        XCTAssertEqual(try convert("--quantize", "w4", "--block", "48").code, 64)
        try convert("--quantize", "int8", "--calibrate", "synthetic", "--keep-float", "nothing")
            .expectFailure(2, f.model, "no node 'nothing' to keep real")
        try convert("--quantize", "int8", "--calibrate", "idx:none,none").expectFailure(1, "none")
        XCTAssertFalse(FileManager.default.fileExists(atPath: out), "nothing is written")
    }
}
