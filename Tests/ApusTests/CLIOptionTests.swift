import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus

/// Options that cannot do anything, and files that a command may not write.
final class CLIOptionTests: XCTestCase {
    func testOptionsNeedWhatTheyAreFor() throws {
        let f = try CLIFixture(), out = f.file("o.apus")
        let w8 = ["--quantize", "w8"], int8 = ["--quantize", "int8", "--calibrate", "synthetic"]
        for (arguments, option, need) in [
            (["--dim", "n=1:4"], "--dim", "an input ending in .onnx"), (["--state", "h=hn"], "--state", "an input ending"),
            (["--fix", "x=x.npy"], "--fix", "an input ending"),
            (["--function", "predict"], "--function", "an output ending in .onnx"),
            (["--markdown"], "--markdown", "'--list-operators'"),
            (["--external-data"], "--external-data", "an output ending in .onnx"), (["--cache", "f16"], "--cache", "'--steps'"),
            (["--context", "9"], "--context", "'--steps'"), (["--keep-float", "nosuch"], "--keep-float", "'--quantize'"),
            (["--smooth", "0.5"], "--smooth", "'--quantize int8'"), (["--equalize"], "--equalize", "'--quantize int8'"),
            (["--method", "mse"], "--method", "'--quantize int8'"), (["--block", "64"], "--block", "'--quantize w4'"),
            (["--no-timing"], "--no-timing", "'--quantize'"), (["--calibrate", "synthetic"], "--calibrate", "'--quantize'"),
            (["--calibration-samples", "9"], "--calibration-samples", "'--quantize'"),
            (w8 + ["--force"], "--force", "'--max-drop'"),
            (w8 + ["--smooth", "0.5"], "--smooth", "'--quantize int8'"), (w8 + ["--block", "64"], "--block", "'--quantize w4'"),
            (w8 + ["--correct-bias"], "--correct-bias", "'--quantize int8'"),
            (int8 + ["--keep"], "--keep", "a conversion without '--quantize'"),
            (int8 + ["--exact"], "--exact", "a conversion without '--quantize'"),
            (int8 + ["--disable", "pack-weights"], "--disable", "a conversion without '--quantize'"),
        ] {
            try CLIRun("convert-model", [f.model, "-o", out] + arguments)
                .expectFailure(64, "convert-model: '\(option)' needs \(need)")
        }
        for (arguments, option) in [(["--size", "300"], "--size"), (["--special", "x"], "--special")] {
            try CLIRun("apus", ["tokenize", f.file("t.json")] + arguments).expectFailure(64, "apus: '\(option)' needs '--train'")
        }
        XCTAssertFalse(FileManager.default.fileExists(atPath: out))
    }

    /// Neither file is written, rather than the last alone.
    func testOneOutput() throws {
        let f = try CLIFixture(), a = f.file("a.npz"), b = f.file("b.npz")
        _ = try f.samples(1, "x.npy")
        let run = ["run", f.model, f.file("x.npy")]
        for outputs in [["-o", a, "-o", b], ["-o", a, "--output", b], ["--output=" + a, "--output=" + b]] {
            try CLIRun("apus", run + outputs)
                .expectFailure(64, "apus: 2 times '--output', wanted one file; see apus run --help\n")
        }
        let c = f.file("c.apus"), d = f.file("d.apus")
        try CLIRun("convert-model", [f.model, "-o", c, "-o", d])
            .expectFailure(64, "convert-model: 2 times '--output', wanted one")
        for path in [a, b, c, d] { XCTAssertFalse(FileManager.default.fileExists(atPath: path)) }
    }

    func testValuesOutOfRange() throws {
        let f = try CLIFixture(), table = try f.folder.write(Array("a,b\n1,x\n2,y\n".utf8), "t.csv"), most = "\(Int.max)"
        let train = ["train", "--model", "mlp:4", "--data", "csv:\(table)", "--quiet"]
        let config = try f.folder.write(Array("{\"batch-size\": \(most)}".utf8), "c.json")
        for (tool, arguments, code, part) in [
            ("apus", train + ["--epochs", most, "--batch-size", "1"], Int32(2), "\(most) epochs of 2 batches, wanted at most"),
            ("apus", train + ["--batch-size", most], 64, "--batch-size \(most), wanted 1 ..."),
            ("apus", train + ["--config", config], 64, "--batch-size \(most), wanted 1 ..."),
            ("apus", train + ["--momentum", "0.9"], 64, "'--momentum' needs '--optimizer sgd' or 'rmsprop'"),
            ("apus", train + ["--weight-decay", "0.1", "--optimizer", "sgd"], 64, "'--weight-decay' needs '--optimizer adamw'"),
            ("apus", train + ["--model", "mnist-cnn", "--activation", "tanh"], 64, "'--activation' needs '--model mlp:UNITS"),
            ("apus", train + ["--export", f.file("none/m.apus")], 1, "none/m.apus: No such file or directory"),
            ("convert-model", [f.model, "-o", f.file("none/m.apus")], 1, "none/m.apus: No such file or directory"),
            ("apus", train + ["--quantization-aware", "--freeze-observers=-1"], 64, "--freeze-observers -1, wanted 0"),
            ("apus", ["evaluate", f.model, "--data", "csv:\(table)", "--threshold", "nan"], 64, "--threshold nan, wanted a number"),
            ("apus", ["evaluate", f.model, "--data", "csv:\(table)", "--minimum-accuracy", "nan"], 64, "-accuracy nan, wanted"),
            ("apus", ["tokenize", f.file("t.json"), "--train", table, "--special", "<x>", "--special", "<x>"], 2, "'<x>' twice"),
            ("apus", ["tokenize", f.file("t.json"), "--train", table, "--special", "a"], 2, "'a' twice, or that of a byte"),
            (
                "convert-model",
                [f.model, "-o", f.file("o.apus"), "--quantize", "w8", "--calibration-samples", most], 64,
                "'--calibration-samples \(most)', wanted 1 … 1000000"
            ),
            ("convert-model", [f.model, "-o", f.file("o.tflite")], 64, "wanted a name ending in .apus or .onnx, or '--c-header'"),
            ("convert-model", [f.model, "-o", f.file("o.h")], 64, "wanted a name ending in .apus or .onnx, or '--c-header'"),
        ] { try CLIRun(tool, arguments).expectFailure(code, "\(tool): ", part) }
        for tool in ["apus", "convert-model"] {
            let arguments = tool == "apus" ? ["verify", f.model] : ["--passes"]
            try CLIRun(tool, arguments, environment: ["APUS_ISA": "sse9"])
                .expectFailure(2, "\(tool): APUS_ISA is 'sse9', wanted one of reference, avx2")
        }
    }

    /// What training needs stands first, and what is taken where nothing is said.
    func testHelpOfTrain() throws {
        let help = try CLIRun("apus", ["train", "--help"]).output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        var rest = try XCTUnwrap(help.range(of: "OPTIONS:").map { help[$0.upperBound...] })
        for part in [
            "--model <model>", "relu, the default,", "--data <data>", "--epochs <epochs> 5 by default", "adam, the default,",
            "0.001 by default, 0.01 of sgd", "constant, the default,", "; 0 by default", "--quantization-aware Train",
        ] {
            let range = try XCTUnwrap(rest.range(of: part), part)
            rest = rest[range.upperBound...]
        }
    }

    /// What is wrong whatever the data are is wrong usage, whether it stands on the command line or in a file, and is said before
    /// anything is read.
    func testWrongUsageOfTrain() throws {
        let f = try CLIFixture(), train = ["train", "--quiet"]
        let whole = train + ["--model", "mlp:4", "--data", "csv:/nowhere/t.csv"]
        let config = try f.folder.write(Array("{\"optimizer\": \"lion\"}".utf8), "c.json"), hint = "; see apus train --help\n"
        for (arguments, part) in [
            (train, "Missing expected option '--data <data>'"),
            (train + ["--data", "csv:x"], "Missing expected option '--model <model>'"),
            (whole + ["--model", "foo"], "no model 'foo', wanted mnist-cnn, "),
            (whole + ["--model", "text-gru"], "'text-gru:', wanted how many words there are, such as text-gru:10000"),
            (whole + ["--model", "gpt:4,128"], "'gpt:4,128', wanted layers, width and heads such as gpt:4,128,4"),
            (whole + ["--optimizer", "lion"], "no optimizer 'lion', wanted adam, "),
            (whole + ["--config", config], "no optimizer 'lion', wanted adam, "),
            (whole + ["--schedule", "linear"], "no schedule 'linear', wanted constant, "),
            (whole + ["--loss", "hinge"], "no loss 'hinge', wanted cross-entropy, "),
            (whole + ["--activation", "swish"], "no activation 'swish', wanted relu, "),
            (whole + ["--augment", "mixup"], "no augmentation 'mixup', wanted some of flip, "),
            (whole + ["--learning-rate", "0"], "learning rate 0.0, wanted more than 0"),
            (whole + ["--epochs", "0"], "--epochs 0, wanted 1 or more"),
            (whole + ["--batch-size", "0"], "--batch-size 0, wanted 1 ... "),
            (whole + ["--threads", "999"], "--threads 999, wanted 1 ... 256"),
            (whole + ["--quantization-aware", "--learn-ranges", "0"], "--learn-ranges 0, wanted 1 or more"),
        ] { try CLIRun("apus", arguments).expectFailure(64, "apus: ", part, hint) }
        let generate = ["generate", f.model, "--prompt", "a"]
        for (arguments, part) in [
            (["evaluate", f.model], "Missing expected argument '--data <data>'"),
            (["bench", f.model, "--threads", "0"], "--threads 0, wanted 1 ... 256"),
            (["verify", f.model, "--threads", "257"], "--threads 257, wanted 1 ... 256"),
            (["bench-training", "mlp:4", "--input", "2", "--outputs", "2", "--threads", "0"], "--threads 0, wanted 1 ... 256"),
            (generate + ["--max-tokens=-1"], "--max-tokens -1, wanted 0 or more"),
            (generate + ["--top-p", "2"], "top-p 2.0, wanted more than 0 and at most 1"),
        ] { try CLIRun("apus", arguments).expectFailure(64, "apus: ", part, "; see apus \(arguments[0]) --help\n") }
    }

    /// No file that a command reads is written, by whatever name, nor one file twice.
    func testWrittenFilesAreOthers() throws {
        let f = try CLIFixture(), x = f.file("x.npy"), link = f.file("link.apus"), new = f.file("new.apus")
        _ = try f.samples(4, "x.npy")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: f.model)
        let table = try f.folder.write(Array("a,b\n1,x\n2,y\n".utf8), "t.csv")
        let config = try f.folder.write(Array("{\"data\": \"csv:\(table)\", \"model\": \"mlp:4\"}".utf8), "c.json")
        let train = ["train", "--config", config, "--epochs", "1", "--quiet"], int8 = ["--quantize", "int8", "--calibrate", x]
        let files = [f.model, x, table, config], before = try files.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        for (tool, arguments, part) in [
            ("convert-model", [f.model, "-o", f.model], "--output \(f.model), wanted another file than the input \(f.model)"),
            ("convert-model", [f.model, "-o", link], "--output \(link), wanted another file than the input \(f.model)"),
            ("convert-model", [f.model, "-o", x, "--c-header", "m", "--verify", x], "wanted another file than the input \(x)"),
            ("convert-model", [f.model, "-o", x, "--c-header", "m"] + int8, "wanted another file than the input \(x)"),
            (
                "convert-model",
                [f.model, "-o", f.file("r.json"), "--c-header", "m", "--quantization-report", f.file("r.json")] + int8,
                "wanted another file than that of --output"
            ),
            ("apus", train + ["--export", table], "--export \(table), wanted another file than the input \(table)"),
            ("apus", train + ["--log", config], "--log \(config), wanted another file than the input \(config)"),
            ("apus", train + ["--export", new, "--checkpoint", new], "wanted another file than that of --export"),
            ("apus", ["tokenize", table, "--train", table], "wanted another file than the input \(table)"),
            ("apus", ["run", f.model, x, "-o", x], "--output \(x), wanted another file than the input \(x)"),
        ] { try CLIRun(tool, arguments).expectFailure(64, part) }
        XCTAssertEqual(try files.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }, before)
        try CLIRun("convert-model", [f.model, "-o", "/dev/null", "--verify", "random"]).expectSuccess()
    }

    /// What ends with a failure leaves no new file, and what was there as it was.
    func testAFailureLeavesNothing() throws {
        let f = try CLIFixture(), report = f.file("r.json"), folder = f.file("folder.onnx"), out = f.file("o.apus")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let files = try FileManager.default.contentsOfDirectory(atPath: f.folder.path).sorted()
        let quantize = ["--quantize", "int8", "--calibrate", "synthetic", "--quantization-report", report, "--quiet"]
        try CLIRun("convert-model", [f.model, "-o", f.file("no/o.apus")] + quantize).expectFailure(1, "No such file or directory")
        try CLIRun("convert-model", [f.model, "-o", folder, "--external-data"]).expectFailure(1, "folder.onnx: ")
        let failed = try CLIRun(
            "convert-model", [f.model, "-o", out, "--weights", "f16", "--verify", "random", "--tolerance", "1e-9", "--json"])
        failed.expectFailure(1, "differs by ", "; \(out) is not written\n")
        XCTAssertNil(try failed.json()["output"])
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: f.folder.path).sorted(), files)
    }

    func testQuietKeepsResults() throws {
        let f = try CLIFixture(), text = try f.folder.write(Array("a b a b".utf8), "t.txt")
        for (tool, arguments, part) in [
            ("convert-model", [f.model, "-o", f.file("o.apus")], "o.apus: "),
            ("apus", ["tokenize", f.file("t.json"), "--train", text], "t.json: 258 tokens\n"),
        ] {
            let run = try CLIRun(tool, arguments + ["--quiet"])
            XCTAssertTrue(run.output.contains(part), run.output)
            XCTAssertEqual(run.errors, "")
        }
        // A model on standard output has it for itself.
        let piped = f.file("piped.apus")
        _ = FileManager.default.createFile(atPath: piped, contents: nil)
        try CLIRun("convert-model", [f.model, "-o", "/dev/stdout"], output: piped).expectSuccess()
        try CLIRun("apus", ["verify", piped]).expectSuccess()
        try CLIRun("convert-model", [f.model, "-o", "/dev/stdout", "--json"])
            .expectFailure(64, "'--json' needs an output that is not standard output")
    }
}
