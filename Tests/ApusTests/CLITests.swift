import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus

/// The tools do what they say.
final class CLITests: XCTestCase {
    func testInspect() throws {
        let f = try CLIFixture()
        let run = try CLIRun("apus", ["inspect", f.model])
        run.expectSuccess()
        XCTAssertEqual(run.errors, "")
        for part in [
            "f32[batch, 8, 8, 1]  (NHWC, gray, raw 0.0 … 255.0", "labels red, green, blue", "Conv2D + ReLU",
            "f32[1, 6, 6, 4]", "total: 479 parameters", "at the largest dimensions: arena of",
        ] { XCTAssertTrue(run.output.contains(part), "no '\(part)' in\n\(run.output)") }
        let json = try CLIRun("apus", ["inspect", f.model, "--json"]).json()
        XCTAssertEqual(json["goldenPairs"] as? Int, 2)
        let size = try FileManager.default.attributesOfItem(atPath: f.model)[.size] as? Int
        XCTAssertEqual(json["fileBytes"] as? Int, size)
        try FileManager.default.createSymbolicLink(atPath: f.file("link.apus"), withDestinationPath: f.model)
        XCTAssertEqual(try CLIRun("apus", ["inspect", f.file("link.apus"), "--json"]).json()["fileBytes"] as? Int, size)
        let function = try XCTUnwrap((json["functions"] as? [[String: Any]])?.first)
        let operators = try XCTUnwrap(function["operators"] as? [[String: Any]])
        XCTAssertEqual(operators.count, 4)
        XCTAssertEqual(((operators[0]["outputs"] as? [[String: Any]])?.first)?["shape"] as? [Int], [1, 6, 6, 4])
        let dimensions = try XCTUnwrap(json["dimensions"] as? [[String: Any]])
        XCTAssertEqual(dimensions[0] as NSDictionary, ["name": "batch", "minimum": 1, "maximum": 64])
        let input = try XCTUnwrap((function["inputs"] as? [[String: Any]])?.first)
        XCTAssertEqual(input["type"] as? NSDictionary, ["dtype": "f32", "shape": ["batch", 8, 8, 1] as [Any]])
        let contract = try XCTUnwrap(input["contract"] as? [String: Any])
        XCTAssertEqual(contract.keys.sorted(), ["color", "layout", "rawMaximum", "rawMinimum", "scale"])
        XCTAssertEqual(contract["rawMaximum"] as? Double, 255)
        XCTAssertEqual(try XCTUnwrap(contract["scale"] as? Double), 1 / 255, accuracy: 1e-9)
    }

    func testRunGivesWhatTheNetworkPredicts() throws {
        let f = try CLIFixture()
        // More samples than the largest batch of the file.
        let x = try f.samples(100, "x.npy")
        try CLIRun("apus", ["run", f.model, f.file("x.npy"), "-o", f.file("y.npz"), "--threads", "2"]).expectSuccess()
        XCTAssertEqual(try NPZ.read(f.file("y.npz"), array: "output"), try f.network.predict(x))
        try CLIRun("apus", ["run", f.model, "input=\(f.file("x.npy"))", "-o", f.file("y.npy")]).expectSuccess()
        XCTAssertEqual(try NPY.read(f.file("y.npy")), try f.network.predict(x))
        let text = try CLIRun("apus", ["run", f.model, f.file("x.npy")])
        XCTAssertEqual(text.output.split(separator: "\n").count, 101)
        XCTAssertTrue(text.output.hasPrefix("output f32 [100, 3]\n"))
        let json = try CLIRun("apus", ["run", f.model, f.file("x.npy"), "--json"]).output
        let reports = try XCTUnwrap(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
        XCTAssertEqual(reports[0]["dtype"] as? String, "f32")
        XCTAssertEqual(reports[0]["shape"] as? [Int], [100, 3])
    }

    func testRunTakesPicturesAndBytesThroughTheContract() throws {
        let f = try CLIFixture()
        let pixels = try Tensor((0..<64).map { UInt8($0 * 4) }, shape: [8, 8, 1])
        try ImageFile.writePNG(pixels, to: f.file("p.png"))
        try NPY.write(pixels, to: f.file("p.npy"))
        let scaled = try Tensor((0..<64).map { Float($0 * 4) * (1 / 255) }, shape: [1, 8, 8, 1])
        _ = try f.folder.write(scaled.withUnsafeBytes { Array($0) }, "p.raw")
        let wanted = try f.network.predict(scaled)
        for name in ["p.png", "p.npy", "p.raw"] {
            try CLIRun("apus", ["run", f.model, f.file(name), "-o", f.file("y.npy"), "--quiet"]).expectSuccess()
            XCTAssertEqual(try NPY.read(f.file("y.npy")), wanted, name)
        }
    }

    func testBench() throws {
        let f = try CLIFixture()
        let run = try CLIRun(
            "apus", ["bench", f.model, "--seconds", "0.1", "--batch", "4", "--json", "--assert", "p99<60s"])
        run.expectSuccess()
        let json = try run.json()
        XCTAssertEqual(json["dimensions"] as? [Int], [4])
        let latency = try XCTUnwrap(json["latency"] as? [String: Double])
        XCTAssertTrue(latency["min"]! > 0 && latency["p50"]! <= latency["p90"]! && latency["p99"]! <= latency["max"]!)
        let operators = try XCTUnwrap(json["operators"] as? [[String: Any]])
        XCTAssertEqual(operators.compactMap { $0["operation"] as? String }.first, "Conv2D + ReLU")
        XCTAssertEqual(operators.reduce(0) { $0 + ($1["share"] as! Double) }, 1, accuracy: 1e-6)
        try CLIRun("apus", ["bench", f.model, "--seconds", "0.05", "--assert", "p50<=1ns", "--quiet"])
            .expectFailure(1, "apus: p50<=1ns does not hold: ")
    }

    func testBenchTraining() throws {
        let run = try CLIRun(
            "apus",
            [
                "bench-training", "mnist-cnn", "--input", "12,12,1", "--outputs", "3", "--batch", "8", "--threads", "1",
                "--steps", "30", "--json", "--assert", "p99<60s", "--quiet",
            ])
        run.expectSuccess()
        XCTAssertEqual(run.errors, "")
        let json = try run.json()
        XCTAssertEqual((json["stepSeconds"] as? [Double])?.count, 30)
        // 3×3×32 + 32, 3×3×32×64 + 64, then 1×1×64 places to 128 units, and 3 of those.
        XCTAssertEqual(json["parameters"] as? Int, 320 + 18496 + 8320 + 387)
        XCTAssertLessThan(try XCTUnwrap(json["lastLoss"] as? Double), try XCTUnwrap(json["firstLoss"] as? Double))
        let operators = try XCTUnwrap(json["operators"] as? [[String: Any]])
        let names = operators.compactMap { $0["operation"] as? String }
        XCTAssertTrue(names.contains("Conv2DWeightGradient") && names.contains("Adam"), "\(names)")
        XCTAssertEqual(operators.reduce(0) { $0 + ($1["share"] as! Double) }, 1, accuracy: 1e-6)
        let numbers = try CLIRun(
            "apus",
            [
                "bench-training", "mlp:4", "--input", "2", "--outputs", "1", "--batch", "4", "--steps", "3", "--assert",
                "p50<=1ns", "--quiet",
            ])
        numbers.expectFailure(1, "apus: p50<=1ns does not hold: ")
        XCTAssertTrue(numbers.output.contains("3 steps of 4 samples, 17 parameters"), numbers.output)
        let one = try CLIRun(
            "apus",
            [
                "bench-training", "mlp:", "--input", "1", "--outputs", "1", "--batch", "1", "--steps", "1", "--threads", "1",
            ])
        XCTAssertEqual(one.errors, "mlp:: measuring 1 step\n")
        XCTAssertTrue(one.output.hasPrefix("1 step of 1 sample, 2 parameters, 1 thread, "), one.output)
    }

    func testVerify() throws {
        let f = try CLIFixture()
        for isa in ["reference", "avx2", "avx512"] {
            let run = try CLIRun("apus", ["verify", f.model], environment: ["APUS_ISA": isa])
            run.expectSuccess()
            XCTAssertTrue(run.output.contains("as stored") && !run.output.contains("DIFFERS"), run.output)
        }
    }

    /// A flipped bit in a weight: the hash tells, and so does the golden pair.
    func testVerifyFindsDamage() throws {
        let f = try CLIFixture()
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: f.model)))
        let graph = try ModelWriterProbe.offsets(f.model)
        bytes[graph.weightsStart + graph.firstConstant + 3] ^= 0x42
        let path = try f.folder.write(bytes, "damaged.apus")
        let run = try CLIRun("apus", ["verify", path])
        run.expectFailure(1, "apus: \(path): the weights' SHA-256 is ", ", wanted ")
        XCTAssertTrue(run.output.contains("NOT as stored") && run.output.contains("DIFFERS"), run.output)
    }

    /// The pair asks for what this file never computed: the weights are to blame, not the kernels.
    func testVerifyNamesTheCulprit() throws {
        let f = try CLIFixture()
        let graph = try f.network.exportGraph()
        try Goldens.add(to: graph)
        let output = graph.goldens[0].outputs[0]
        var values = try Tensor(output).array(of: Float.self)
        values[1] += 1
        graph.goldens[0].outputs[0] = try Tensor(values, shape: [1, 3]).constant(output.name)
        try ModelWriter.write(graph, to: f.file("other.apus"))
        try CLIRun("apus", ["verify", f.file("other.apus")]).expectFailure(
            1, "golden pair 0, output 'output': ", " at 1, wanted ", "every operator agrees with the reference kernels")
    }

    func testCompare() throws {
        let f = try CLIFixture()
        let same = try CLIRun("apus", ["compare", f.model, f.model, "--tolerance", "0"])
        same.expectSuccess()
        XCTAssertTrue(same.output.contains("every value is the same"), same.output)
        // A change in the last layer only.
        var kernel = try XCTUnwrap(f.network.parameters["dense/kernel"]).array(of: Float.self)
        kernel[0] += 0.5
        try f.network.parameters.set("dense/kernel", try Tensor(kernel, shape: [144, 3]))
        try f.network.export(to: f.file("changed.apus"))
        let changed = try CLIRun("apus", ["compare", f.model, f.file("changed.apus"), "--json"])
        changed.expectSuccess()
        let json = try changed.json()
        XCTAssertEqual(json["isAlike"] as? Bool, true)
        XCTAssertTrue((json["firstDifference"] as? String ?? "").hasPrefix("'dense' (Dense)"), changed.output)
        // What the table says is what a tolerance judges.
        let scaled = try XCTUnwrap((json["outputs"] as? [[String: Any]])?.first?["scaled"] as? Double)
        let judged = try CLIRun("apus", ["compare", f.model, f.file("changed.apus"), "--tolerance", "1e-6"])
        judged.expectFailure(
            1, "apus: output 'output' differs by \(Quantity.digits(scaled)) of its largest value, wanted at most 1.00e-06")
        let table = judged.output.split(separator: "\n").map { line in
            line.split(separator: "  ").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        XCTAssertEqual(table[0], ["output", "max difference", "of largest", "same argmax"])
        XCTAssertEqual(table[2][2], Quantity.digits(scaled))
    }

    func testTrainAndEvaluate() throws {
        let f = try CLIFixture()
        let data = "idx:\(bundledDigits("train-images-idx3-ubyte.gz")),\(bundledDigits("train-labels-idx1-ubyte.gz"))"
        let test = "idx:\(bundledDigits("test-images-idx3-ubyte.gz")),\(bundledDigits("test-labels-idx1-ubyte.gz"))"
        let config = try f.folder.write(
            Array("{\"model\": \"mlp:32\", \"epochs\": 9, \"batch-size\": 16, \"learning-rate\": 0.003}".utf8), "t.json")
        let run = try CLIRun(
            "apus",
            [
                "train", "--config", config, "--data", data, "--epochs", "4", "--validation", "0.1", "--export",
                f.file("digits.apus"), "--quiet",
            ])
        run.expectSuccess()
        XCTAssertEqual(run.errors, "")
        let lines = run.output.split(separator: "\n")
        XCTAssertEqual(lines.count, 5, run.output)
        XCTAssertEqual(lines[0], "epoch loss accuracy val_loss val_accuracy")
        let evaluation = try CLIRun(
            "apus", ["evaluate", f.file("digits.apus"), "--data", test, "--json", "--minimum-accuracy", "0.85"])
        evaluation.expectSuccess()
        let json = try evaluation.json()
        XCTAssertEqual(json["samples"] as? Int, 360)
        XCTAssertEqual((json["confusion"] as? [[Int]])?.joined().reduce(0, +), 360)
        try CLIRun(
            "apus", ["evaluate", f.file("digits.apus"), "--data", test, "--minimum-accuracy", "1.5", "--quiet"]
        ).expectFailure(1, "apus: accuracy ", ", wanted 1.5 or more")
    }

    /// Stopped in the middle of an epoch and resumed: the file of the run that was not stopped, bit for bit.
    func testResume() throws {
        let f = try CLIFixture()
        let data = "idx:\(bundledDigits("test-images-idx3-ubyte.gz")),\(bundledDigits("test-labels-idx1-ubyte.gz"))"
        let options = [
            "train", "--model", "mlp:16", "--data", data, "--epochs", "3", "--validation", "0.2", "--augment", "shift:0.1",
            "--quiet",
        ]
        try CLIRun("apus", options + ["--export", f.file("whole.apus")]).expectSuccess()
        let checkpoint = f.file("checkpoint.apus")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CLIRun.path("apus"))
        process.arguments = options + ["--checkpoint", checkpoint, "--checkpoint-batches", "1"]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        while process.isRunning && !FileManager.default.fileExists(atPath: checkpoint) { usleep(200) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let resumed = options + ["--checkpoint", checkpoint, "--resume"]
        try CLIRun("apus", resumed + ["--export", f.file("resumed.apus")]).expectSuccess()
        XCTAssertTrue(
            FileManager.default.contentsEqual(atPath: f.file("whole.apus"), andPath: f.file("resumed.apus")))
        try CLIRun("apus", resumed + ["--seed", "9"]).expectFailure(2, "apus: \(checkpoint): ", "seed")
        try CLIRun("apus", options + ["--resume"]).expectFailure(64, "apus: Missing expected option '--checkpoint")
    }

    /// Four batches of 8 an update measure what one of 32 does.
    func testAccumulate() throws {
        let f = try CLIFixture()
        let data = "idx:\(bundledDigits("test-images-idx3-ubyte.gz")),\(bundledDigits("test-labels-idx1-ubyte.gz"))"
        let config = try f.folder.write(Array("{\"accumulate\": 4, \"batch-size\": 8}".utf8), "c.json")
        func losses(_ more: String...) throws -> [Double] {
            let options = ["train", "--model", "mlp:16", "--data", data, "--epochs", "3", "--schedule", "cosine"]
            let run = try CLIRun("apus", options + ["--json", "--quiet"] + more)
            run.expectSuccess()
            let logs = try XCTUnwrap(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
            return logs.compactMap { ($0["values"] as? [Double])?.first }
        }
        let wanted = try losses("--batch-size", "32"), alone = try losses("--batch-size", "8")
        for found in [try losses("--batch-size", "8", "--accumulate", "4"), try losses("--config", config)] {
            XCTAssertEqual(found.count, 3)
            for (a, b) in zip(found, wanted) { XCTAssertEqual(a, b, accuracy: 1e-4 * b) }
        }
        XCTAssertLessThan(alone[2], wanted[2])
        try CLIRun("apus", ["train", "--model", "mlp:16", "--data", data, "--accumulate", "0", "--quiet"])
            .expectFailure(64, "--accumulate 0, wanted 1 ... 1048576")
    }

    /// By the option and by the file: the exported weights are others than without.
    func testAverage() throws {
        let f = try CLIFixture()
        let data = "idx:\(bundledDigits("test-images-idx3-ubyte.gz")),\(bundledDigits("test-labels-idx1-ubyte.gz"))"
        let config = try f.folder.write(Array("{\"average\": 0.9}".utf8), "c.json")
        func trained(_ name: String, _ more: String...) throws -> [UInt8] {
            let options = ["train", "--model", "mlp:16", "--data", data, "--epochs", "2", "--export", f.file(name)]
            let run = try CLIRun("apus", options + ["--quiet"] + more)
            run.expectSuccess()
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: f.file(name))))
        }
        let plain = try trained("plain.apus"), average = try trained("average.apus", "--average", "0.9")
        XCTAssertEqual(try trained("config.apus", "--config", config), average)
        XCTAssertNotEqual(average, plain)
        for decay in ["1", "-0.5", "nan"] {
            try CLIRun("apus", ["train", "--model", "mlp:16", "--data", data, "--average=\(decay)", "--quiet"])
                .expectFailure(64, "--average \(Double(decay)!), wanted 0 ..< 1")
        }
    }

    func testTrainOnATableOfNumbers() throws {
        let f = try CLIFixture()
        var rows = "a,b,price\n"
        for i in 0..<64 { rows += "\(i % 8),\(i / 8),\(3 * (i % 8) - i / 8)\n" }
        let table = try f.folder.write(Array(rows.utf8), "table.csv")
        let model = f.file("price.apus")
        try CLIRun(
            "apus",
            [
                "train", "--model", "mlp:", "--data", "csv:\(table),label=price,numeric", "--epochs", "200",
                "--learning-rate", "0.05", "--batch-size", "8", "--optimizer", "sgd", "--export", model, "--quiet",
            ]
        ).expectSuccess()
        let report = try CLIRun("apus", ["evaluate", model, "--data", "csv:\(table),label=price,numeric", "--json"]).json()
        let values = try XCTUnwrap(report["values"] as? [String: Double])
        XCTAssertLessThan(try XCTUnwrap(values["mae"]), 0.05, "raw columns go through the file's contract")
    }
}

/// Where a file's weights begin, and where among them the first constant's bytes lie.
private enum ModelWriterProbe {
    static func offsets(_ path: String) throws -> (weightsStart: Int, firstConstant: Int) {
        let model = try ApusRuntime.Model(path: path)
        let size = model.graph.constants[0].storage.bytes.count
        let file = try FileManager.default.attributesOfItem(atPath: path)[.size] as! Int
        return (file - size, model.graph.constants[0].offset)
    }
}
