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

    func testWhatIsQuantizedIsNotQuantizedAgain() throws {
        let f = try CLIFixture(), once = f.file("once.apus"), twice = f.file("twice.apus")
        try CLIRun("convert-model", [f.model, "-o", once, "--quantize", "int8", "--calibrate", "synthetic", "--quiet"])
            .expectSuccess()
        for scheme in ["int8", "w8", "f16"] {
            let run = try CLIRun("convert-model", [once, "-o", twice, "--quantize", scheme, "--calibrate", "synthetic", "--quiet"])
            run.expectFailure(2, "once.apus: node ", "(Quantize) computes on integers already, wanted a model on real numbers")
            XCTAssertFalse(FileManager.default.fileExists(atPath: twice))
        }
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

    /// A model of one column for inputs [batch, weights], of a fixed batch where one is given.
    private func classifier(
        _ folder: ScratchFolder, _ name: String, batch: Int? = nil, sigmoid: Bool = false, weights: [Float] = [1, -1]
    ) throws -> String {
        let f = PassFixture()
        let x = try f.builder.input("x", TensorType(.f32, [batch ?? -1, weights.count]))
        let w = f.constant("w", try Tensor(weights, shape: [weights.count, 1]))
        var y = try f.builder.node(ApusGraph.Dense(hasBias: false), [x, w], name: "difference")[0]
        if sigmoid { y = try f.builder(ActivationOperator(.sigmoid), y) }
        f.finish(y)
        try ModelWriter.write(f.graph, to: folder.file(name))
        return folder.file(name)
    }

    /// Points, with zeros behind two numbers, and whether the first number is the greater one.
    private func points(_ folder: ScratchFolder, count: Int, columns: Int = 2) throws -> String {
        var x: [Float] = [], y: [Int32] = []
        for i in 0..<count {
            let (a, b) = (Float(i * 7 % 11) / 11, Float(i * 5 % 13) / 13 + 0.01)
            x += [a, b] + [Float](repeating: 0, count: columns - 2)
            y.append(a > b ? 1 : 0)
        }
        try NPZ.write(
            [
                NamedTensor("x", try Tensor(x, shape: [count, columns])), NamedTensor("y", try Tensor(y, shape: [count])),
            ], to: folder.file("points.npz"))
        return folder.file("points.npz")
    }

    private func quantized(_ model: String, _ data: String, _ more: [String] = [], scheme: String = "int8") throws -> CLIRun {
        try CLIRun(
            "convert-model",
            [model, "-o", "\(model).\(scheme).apus", "--quantize", scheme, "--calibrate", data, "--json", "--quiet"] + more)
    }

    func testAccuracyOfOneColumn() throws {
        let folder = try ScratchFolder(), data = "npz:" + (try points(folder, count: 60))
        for sigmoid in [false, true] {
            for scheme in ["int8", "f16"] {
                let run = try quantized(try classifier(folder, "m.apus", sigmoid: sigmoid), data, scheme: scheme)
                run.expectSuccess()
                let report = try XCTUnwrap(try run.json()["quantization"] as? [String: Any])
                XCTAssertEqual(report["realMetric"] as? Double, 100, "\(scheme) \(sigmoid)")
                XCTAssertNotNil(report["topAgreement"], "\(scheme) \(sigmoid)")
            }
        }
    }

    /// The outlier's weight leaves the others no code but 0.
    func testHoldsABoundWithWeightsAlone() throws {
        let folder = try ScratchFolder(), data = "npz:" + (try points(folder, count: 60, columns: 40))
        let model = try classifier(folder, "m.apus", weights: [1, -1, 1000] + [Float](repeating: 0, count: 37))
        for (arguments, kept) in [([], []), (["--max-drop", "5"], ["difference"])] {
            let run = try quantized(model, data, arguments, scheme: "w8")
            run.expectSuccess()
            let report = try XCTUnwrap(try run.json()["quantization"] as? [String: Any])
            XCTAssertEqual(report["quantizedMetric"] as? Double == 100, kept == ["difference"])
            XCTAssertEqual(report["keptReal"] as? [String], kept)
        }
    }

    /// What "wide" makes needs finer codes than its outlier leaves, so it and its reader must be real; "copy" need not.
    func testKeepsNoMoreRealThanABoundNeeds() throws {
        let folder = try ScratchFolder(), data = "npz:" + (try points(folder, count: 60)), f = PassFixture()
        var value = try f.input("x", [2])
        for (name, weights) in [("copy", [1, 0, 0, 1]), ("wide", [1, 1000, -1, 0]), ("difference", [1, 0] as [Float])] {
            let w = f.constant(name + "/w", try Tensor(weights, shape: [2, weights.count / 2]))
            value = try f.builder.node(ApusGraph.Dense(hasBias: false), [value, w], name: name)[0]
        }
        f.finish(value)
        try ModelWriter.write(f.graph, to: folder.file("m.apus"))
        let run = try quantized(folder.file("m.apus"), data, ["--max-drop", "5", "--method", "minmax"])
        run.expectSuccess()
        let report = try XCTUnwrap(try run.json()["quantization"] as? [String: Any])
        XCTAssertEqual(report["keptReal"] as? [String], ["difference", "wide"])
    }

    /// Eight by their names, and how many others; of weights alone as integers none, as real numbers are what is meant there.
    func testNamesAFewRealNodes() throws {
        let folder = try ScratchFolder(), f = PassFixture(), out = folder.file("o.apus")
        var value = try f.input("x", [32])
        for i in 0..<14 {
            let w = f.constant("w\(i)", try Tensor((0..<1024).map { $0 % 33 == 0 ? 1 : Float($0 % 7) / 100 }, shape: [32, 32]))
            value = try f.builder.node(ApusGraph.Dense(hasBias: false), [value, w], name: "d\(i)")[0]
        }
        f.finish(value)
        try ModelWriter.write(f.graph, to: folder.file("m.apus"))
        let kept = (1...11).flatMap { ["--keep-float", "d\($0)"] }
        let calibration = ["--calibrate", "synthetic", "--calibration-samples", "9", "--method", "minmax"]
        let int8 = ["--quantize", "int8", "--no-timing"] + calibration + kept
        let run = try CLIRun("convert-model", [folder.file("m.apus"), "-o", out, "--quiet"] + int8)
        run.expectSuccess()
        let line = try XCTUnwrap(run.output.split(separator: "\n").first { $0.contains("on real numbers") }, run.output)
        XCTAssertTrue(line.contains(" nodes of an integer model on real numbers: d"), run.output)
        XCTAssertEqual(line.split(separator: ",").count, 8, run.output)
        let json = try CLIRun("convert-model", [folder.file("m.apus"), "-o", out, "--quiet", "--json"] + int8).json()
        let names = try XCTUnwrap(json["realNodes"] as? [String])
        XCTAssertTrue(line.hasPrefix("\(names.count) nodes ") && line.hasSuffix(" and \(names.count - 8) more"), run.output)
        XCTAssertTrue(Set(names).isSuperset(of: (1...11).map { "d\($0)" }), "\(names)")
        for scheme in ["w8", "w4-dynamic"] {
            let run = try CLIRun(
                "convert-model", [folder.file("m.apus"), "-o", out, "--quiet", "--quantize", scheme, "--no-timing"])
            run.expectSuccess()
            XCTAssertFalse(run.output.contains("on real numbers"), run.output)
        }
    }

    /// The model as read, not as quantized; what integers may change is not bounded unless asked for.
    func testVerifiesAgainstTheModelAsRead() throws {
        let f = try CLIFixture()
        for scheme in ["int8", "f16"] {
            let arguments = [f.model, "-o", f.file("q.apus"), "--quantize", scheme, "--calibrate", "synthetic", "--verify", "random"]
            try CLIRun("convert-model", arguments + ["--quiet"]).expectSuccess()
            let run = try CLIRun("convert-model", arguments + ["--tolerance", "0", "--json", "--quiet"])
            XCTAssertEqual(run.code, 1, scheme)
            let outputs = try XCTUnwrap(try run.json()["verified"] as? [[String: Any]])
            XCTAssertGreaterThan(try XCTUnwrap(outputs[0]["absolute"] as? Double), 0, scheme)
        }
    }

    func testSamplesOfAFixedBatch() throws {
        let folder = try ScratchFolder(), points = try points(folder, count: 60)
        for (batch, count) in [(1, 60), (4, 15)] {
            let model = try classifier(folder, "m.apus", batch: batch)
            for data in ["npz:" + points, points] {
                let run = try quantized(model, data)
                run.expectSuccess()
                let report = try XCTUnwrap(try run.json()["quantization"] as? [String: Any])
                XCTAssertEqual(report["calibrationSamples"] as? Int, count)
                XCTAssertEqual(report["realMetric"] as? Double, batch == 1 && data != points ? 100 : nil)
            }
            let run = try CLIRun("apus", ["evaluate", model, "--data", "npz:" + points, "--threshold", "0", "--json"])
            run.expectSuccess()
            XCTAssertEqual((try run.json()["values"] as? [String: Double])?["accuracy"], 1)
        }
        try quantized(try classifier(folder, "m.apus", batch: 7), points)
            .expectFailure(2, "'x' given as f32 [60, 2], wanted f32 [a multiple of 7, 2]\n")
    }

    func testSamplesThatAreNotFinite() throws {
        let folder = try ScratchFolder(), model = try classifier(folder, "m.apus")
        for (value, name) in [(Double.nan, "nan"), (.infinity, "inf"), (-1e300, "-inf")] {
            for scheme in ["int8", "f16"] {
                try NPY.write(try Tensor([0, 1, 2, value], shape: [2, 2]), to: folder.file("x.npy"))
                try quantized(model, folder.file("x.npy"), scheme: scheme)
                    .expectFailure(2, "x.npy: sample 1: 'x' is \(name) in f32 at element 1, wanted finite numbers\n")
            }
        }
    }

    /// Samples are drawn when they are needed, so that many are no more memory.
    func testManySyntheticSamples() throws {
        let folder = try ScratchFolder(), model = try classifier(folder, "m.apus")
        for (count, code) in [(1_000_000_000, 0), (10_000_000_000, 64), (Int.max, 64), (0, 64)] {
            let run = try quantized(model, "synthetic", ["--calibration-samples", "\(count)"], scheme: "f16")
            XCTAssertEqual(Int(run.code), code, run.errors)
        }
    }

    func testABoundOnWhatIsNotMeasured() throws {
        let folder = try ScratchFolder(), model = try classifier(folder, "m.apus"), points = try points(folder, count: 10)
        XCTAssertEqual(try quantized(model, "npz:" + points, ["--max-drop=-1"]).code, 64)
        XCTAssertEqual(try quantized(model, "npz:" + points, ["--max-drop", "nan"]).code, 64)
        let x = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]), y = try Tensor([7, 8] as [Int32], shape: [2])
        try NPZ.write([NamedTensor("x", x), NamedTensor("y", y)], to: points)
        try quantized(model, "npz:" + points, ["--max-drop", "1"]).expectFailure(2, "--max-drop of data without a class")
    }

    func testInputsOfUnequalCounts() throws {
        let folder = try ScratchFolder(), f = PassFixture()
        let a = try f.builder.input("a", TensorType(.f32, [-1, 2])), b = try f.builder.input("b", TensorType(.f32, [-1, 2]))
        f.finish(try f.builder(.add, a, b))
        try ModelWriter.write(f.graph, to: folder.file("m.apus"))
        let arrays = try [("a", 3), ("b", 5)].map { name, count in
            NamedTensor(name, try Tensor([Float](repeating: 1, count: 2 * count), shape: [count, 2]))
        }
        try NPZ.write(arrays, to: folder.file("x.npz"))
        try quantized(folder.file("m.apus"), folder.file("x.npz"))
            .expectFailure(2, "3 samples of 'a' and 5 of 'b', wanted as many\n")
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
