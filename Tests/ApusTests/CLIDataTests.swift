import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus

/// Data that meet a model on the command line.
final class CLIDataTests: XCTestCase {
    private let places = ["ant": -4, "bee": 0, "cat": 4, "zebra": 0]

    private func table(_ f: CLIFixture, _ name: String, _ classes: String...) throws -> String {
        var text = "a,b,class\n"
        for i in 0..<24 {
            let name = classes[i % classes.count], place = Double(places[name]!)
            text += "\(place + Double(i % 5) / 10),\(abs(place) - Double(i % 3) / 10),\(name)\n"
        }
        return try f.folder.write(Array(text.utf8), name)
    }

    /// Classes that the data lack do not move the others.
    func testClassesGoByTheirNames() throws {
        let f = try CLIFixture(), all = try table(f, "all.csv", "ant", "bee", "cat")
        let some = try table(f, "some.csv", "bee", "cat")
        let strange = try table(f, "strange.csv", "bee", "zebra"), model = f.file("classes.apus")
        let train = [
            "train", "--model", "mlp:8", "--data", "csv:\(all)", "--epochs", "30", "--learning-rate", "0.05", "--seed", "1",
            "--quiet",
        ]
        let trained = try CLIRun("apus", train + ["--validation", "csv:\(some)", "--export", model, "--json"])
        trained.expectSuccess()
        let history = try XCTUnwrap(JSONSerialization.jsonObject(with: Data(trained.output.utf8)) as? [[String: Any]])
        XCTAssertEqual(history.map { $0["epoch"] as? Int }, Array(1...30))
        XCTAssertEqual((history.last?["names"] as? [String])?.last, "val_accuracy")
        XCTAssertEqual((history.last?["values"] as? [Double])?.last, 1, trained.output)
        let report = try CLIRun("apus", ["evaluate", model, "--data", "csv:\(some)", "--json"]).json()
        XCTAssertEqual((report["values"] as? [String: Double])?["accuracy"], 1)
        XCTAssertEqual((report["confusion"] as? [[Int]])?.map { $0.reduce(0, +) }, [0, 12, 12])
        let quantize = ["--quantize", "int8", "--no-timing", "--max-drop", "100", "--json", "--calibrate"]
        let quantized = try CLIRun("convert-model", [model, "-o", f.file("q.apus")] + quantize + ["csv:\(some)"])
        XCTAssertEqual((try quantized.json()["quantization"] as? [String: Any])?["realMetric"] as? Double, 100)
        let part = "class 'zebra', wanted one of ant, bee, cat\n"
        try CLIRun("apus", ["evaluate", model, "--data", "csv:\(strange)", "--quiet"]).expectFailure(2, "csv:\(strange): ", part)
        try CLIRun("apus", train + ["--validation", "csv:\(strange)"]).expectFailure(2, "validation: ", part)
        try CLIRun("convert-model", [model, "-o", f.file("q.apus")] + quantize + ["csv:\(strange)"]).expectFailure(2, part)
    }

    /// A column that weighs samples is no input, and what weighs nothing is not learned; balanced classes change the loss.
    func testWeights() throws {
        let f = try CLIFixture()
        var text = "a,b,share,class\n"
        for i in 0..<24 {
            // Every third row is wrong about its class, and counts nothing.
            let isWrong = i % 3 == 0, side = i % 2 == 0
            text += "\(side ? -1 : 1),\(Double(i % 5) / 10),\(isWrong ? 0 : 1),\(side != isWrong ? "x" : "y")\n"
        }
        let table = try f.folder.write(Array(text.utf8), "t.csv")
        let train = ["train", "--model", "mlp:4", "--epochs", "40", "--learning-rate", "0.05", "--seed", "1", "--quiet", "--json"]
        func loss(_ data: String, _ more: [String] = []) throws -> Double {
            let run = try CLIRun("apus", train + ["--data", "csv:\(table)\(data)"] + more)
            run.expectSuccess()
            let history = try XCTUnwrap(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
            return try XCTUnwrap((history.last?["values"] as? [Double])?.first)
        }
        XCTAssertLessThan(try loss(",weight=share"), 0.05)
        XCTAssertGreaterThan(try loss(""), 0.15)
        let skewed = try f.folder.write(Array("a,class\n1,x\n2,y\n3,y\n4,y\n".utf8), "s.csv")
        let one = ["train", "--model", "mlp:4", "--epochs", "1", "--quiet", "--data"]
        let plain = try CLIRun("apus", one + ["csv:\(skewed)"])
        let balanced = try CLIRun("apus", one + ["csv:\(skewed)", "--class-weights", "balanced"])
        balanced.expectSuccess()
        XCTAssertNotEqual(plain.output, balanced.output)
        try CLIRun("apus", one + ["csv:\(skewed)", "--class-weights", "even"])
            .expectFailure(64, "--class-weights 'even', wanted balanced")
        let numbers = try f.folder.write(Array("a,b\n1,2\n2,3\n".utf8), "n.csv")
        try CLIRun("apus", one + ["csv:\(numbers),numeric", "--class-weights", "balanced"])
            .expectFailure(2, "class weights for numbers, wanted classes")
        try CLIRun("apus", one + ["csv:\(skewed),weight=none"]).expectFailure(2, "there is no column \"none\"")
    }

    func testACalibrationFileWithAColon() throws {
        let f = try CLIFixture(), folder = f.file("c:d")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        _ = try f.samples(4, "c:d/x.npy")
        try CLIRun(
            "convert-model",
            [f.model, "-o", f.file("o.apus"), "--quantize", "int8", "--calibrate", folder + "/x.npy", "--no-timing"]
        ).expectSuccess()
        try CLIRun("convert-model", [f.model, "-o", f.file("o.apus"), "--quantize", "int8", "--calibrate", "tar:x"])
            .expectFailure(2, "data of kind 'tar', wanted idx")
    }

    func testLinesNameWhatIsThere() throws {
        let f = try CLIFixture(), array = try f.samples(4, "x.npy"), npz = f.file("x.npz"), onnx = f.file("x.onnx")
        try NPZ.write([NamedTensor("a", array), NamedTensor("b", array)], to: npz)
        try FileManager.default.copyItem(atPath: f.file("x.npy"), toPath: onnx)
        let table = try f.folder.write(Array("a,b\n1,x\n2,y\n".utf8), "t.csv")
        func train(_ more: String...) -> [String] { ["train", "--model", "mlp:4", "--quiet"] + more }
        for (tool, arguments, code, part) in [
            ("apus", ["run", f.model, npz], Int32(2), "no file or array for input 'input'; \(npz) has a, b; inputs are input\n"),
            ("apus", ["run", f.model, "/dev/zero"], 1, "/dev/zero: is a device, wanted a file or a pipe\n"),
            ("convert-model", [onnx, "-o", f.file("o.apus")], 2, "\(onnx): not an ONNX model, or a broken one: "),
            ("apus", train("--data", "csv:\(table),separator=;"), 2, "\(table): found no column beside [\"a,b\"], wanted one"),
            ("apus", train("--data", "csv:\(table),separator=tab"), 2, "csv separator=tab, wanted one character\n"),
        ] { try CLIRun(tool, arguments).expectFailure(code, "\(tool): ", part) }
        for (text, part) in [
            ("{\"epochs\": 1.5}", "'epochs' is 1.5, wanted a whole number\n"),
            ("[]", "not an object, wanted options and their values"),
            ("{\"seed\": -1}", "'seed' is -1, wanted a whole number of 0 or more\n"), ("{", "not valid JSON\n"),
            ("{\"precision\": \"f8\"}", "'precision' is f8, wanted f32 or bf16\n"),
        ] {
            let config = try f.folder.write(Array(text.utf8), "c.json")
            try CLIRun("apus", ["train", "--config", config]).expectFailure(2, "apus: \(config): ", part)
        }
    }

    func testNumbersThatAreNone() throws {
        let f = try CLIFixture(), npz = f.file("x.npz"), broken = f.file("broken.apus")
        var values = [Float](repeating: 0.5, count: 128)
        values[70] = .nan
        let x = try Tensor(values, shape: [2, 8, 8, 1])
        try NPZ.write([NamedTensor("x", x), NamedTensor("y", try Tensor([0, 1] as [Int32]))], to: npz)
        try NPZ.write([NamedTensor("input", x)], to: f.file("input.npz"))
        try CLIRun("apus", ["evaluate", f.model, "--data", "npz:\(npz)", "--quiet"])
            .expectFailure(2, "\(f.model): output 'output' is NaN for sample 1 of npz:\(npz), wanted numbers\n")
        let run = try CLIRun("apus", ["run", f.model, f.file("input.npz")])
        let rows = run.output.split(separator: "\n").dropFirst()
        XCTAssertEqual(rows.map { $0.contains("→") }, [true, false], run.output)
        XCTAssertTrue(rows.last?.hasPrefix("nan nan nan") ?? false, run.output)
        var kernel = try XCTUnwrap(f.network.parameters["dense/kernel"]).array(of: Float.self)
        kernel[0] = .nan
        try f.network.parameters.set("dense/kernel", try Tensor(kernel, shape: [144, 3]))
        let graph = try f.network.inferenceGraph()
        try ModelWriter.write(graph, to: broken)
        let compared = try CLIRun("apus", ["compare", f.model, broken, "--json"])
        compared.expectSuccess()
        XCTAssertEqual((try compared.json()["outputs"] as? [[String: Any]])?.first?["absolute"] as? String, "inf")
    }

    /// Names in a file move no cursor.
    func testNamesWithControlCharacters() throws {
        let f = PassFixture(), folder = try ScratchFolder()
        let x = try f.builder.input("x\u{1B}[2J", TensorType(.f32, [-1, 2]))
        f.finish(try f.builder.node(ActivationOperator(.relu), [x], name: "a\nb\u{7}")[0])
        f.graph.metadata = [("key", "value\u{1B}[0m")]
        f.graph.functions[0].outputs[0].labels = ["one\r", "two"]
        try ModelWriter.write(f.graph, to: folder.file("m.apus"))
        let run = try CLIRun("apus", ["inspect", folder.file("m.apus")])
        run.expectSuccess()
        XCTAssertTrue(run.output.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control }, run.output)
        for part in ["x?[2J", "a?b?", "key: value?[0m\n", "one?, two"] { XCTAssertTrue(run.output.contains(part), run.output) }
    }

    func testTextThatIsNoUTF8() throws {
        let f = try CLIFixture(), text = try f.folder.write([0x61, 0xFF, 0x62], "t.txt"), tokenizer = f.file("t.json")
        try CLIRun("apus", ["tokenize", tokenizer, "--train", text]).expectFailure(2, "apus: \(text): not UTF-8")
        XCTAssertFalse(FileManager.default.fileExists(atPath: tokenizer))
        try CLIRun("apus", ["tokenize", f.file("u.txt"), "--train", text])
            .expectFailure(64, "apus: TOKENIZER '\(f.file("u.txt"))', wanted a name ending in .json")
        try BytePairTokenizer(trainedOn: ["a b"], vocabularySize: 256).write(tokenizer: tokenizer)
        let run = try CLIRun("apus", ["tokenize", tokenizer], input: [0x61, 0x0A, 0xFF, 0x0A])
        run.expectFailure(2, "apus: line 2: not UTF-8")
    }
}
