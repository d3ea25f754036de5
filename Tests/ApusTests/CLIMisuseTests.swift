import ApusGraph
import Foundation
import XCTest

@testable import Apus

/// Every misuse of the tools is one line on standard error and the right exit code.
final class CLIMisuseTests: XCTestCase {
    func testMissingFile() throws {
        for arguments in [["inspect"], ["verify"], ["bench"], ["run", "x.npy"]] {
            var all = arguments
            all.insert("/nowhere/m.apus", at: 1)
            try CLIRun("apus", all + ["--quiet"]).expectFailure(1, "apus: /nowhere/m.apus: no such file\n")
        }
        try CLIRun("convert-model", ["/nowhere/m.apus", "-o", "/nowhere/o.apus"])
            .expectFailure(1, "convert-model: /nowhere/m.apus: no such file\n")
        let f = try CLIFixture()
        try CLIRun("apus", ["compare", f.model, "/nowhere/m.apus"]).expectFailure(1, "apus: /nowhere/m.apus: ")
        try CLIRun("apus", ["run", f.model, "/nowhere/x.npy"]).expectFailure(1, "apus: /nowhere/x.npy: ")
        let loop = f.folder.file("loop")
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        try CLIRun("apus", ["inspect", loop]).expectFailure(1, "apus: \(loop): a loop of links\n")
        try CLIRun("apus", ["inspect", f.folder.path]).expectFailure(1, "apus: \(f.folder.path): is a directory\n")
    }

    func testAPictureAsAModel() throws {
        let f = try CLIFixture()
        let picture = f.file("p.png")
        try ImageFile.writePNG(try Tensor([UInt8](repeating: 7, count: 64), shape: [8, 8, 1]), to: picture)
        for command in ["inspect", "verify", "bench"] {
            try CLIRun("apus", [command, picture, "--quiet"])
                .expectFailure(2, "apus: \(picture): not an .apus file\n")
        }
        try CLIRun("convert-model", [picture, "-o", f.file("o.apus")])
            .expectFailure(2, "convert-model: \(picture): not an .apus file\n")
        let cut = try f.folder.write(Array(try Data(contentsOf: URL(fileURLWithPath: f.model)).prefix(500)), "cut.apus")
        try CLIRun("apus", ["inspect", cut]).expectFailure(2, "apus: \(cut): truncated")
    }

    func testWrongShapes() throws {
        let f = try CLIFixture()
        let x = f.file("x.npy")
        try NPY.write(try Tensor([Float](repeating: 0, count: 60), shape: [1, 6, 10, 1]), to: x)
        try CLIRun("apus", ["run", f.model, x])
            .expectFailure(2, "apus: \(x): 'input' given as f32 [1, 6, 10, 1], wanted f32 [any, 8, 8, 1]\n")
        try NPY.write(try Tensor([Int32](repeating: 0, count: 64), shape: [1, 8, 8, 1]), to: x)
        try CLIRun("apus", ["run", f.model, x]).expectFailure(2, "apus: \(x): 'input' given as i32", "wanted f32")
        let graph = try f.network.inferenceGraph(maximumBatch: 1)
        graph.functions[0].inputs[0].contract = nil
        try ModelWriter.write(graph, to: f.file("bare.apus"))
        try NPY.write(try Tensor([UInt8](repeating: 0, count: 64), shape: [1, 8, 8, 1]), to: x)
        try CLIRun("apus", ["run", f.file("bare.apus"), x]).expectFailure(2, "given as u8", "wanted f32; the model has no input contract")
        let picture = f.file("p.png")
        try ImageFile.writePNG(try Tensor([UInt8](repeating: 7, count: 35), shape: [5, 7, 1]), to: picture)
        try CLIRun("apus", ["run", f.model, picture]).expectFailure(2, "apus: \(picture): ", "[1, 5, 7, 1], wanted")
        try CLIRun("apus", ["run", f.model, picture, "--resize"]).expectSuccess()
        let raw = try f.folder.write([1, 2, 3], "x.raw")
        try CLIRun("apus", ["run", f.model, raw])
            .expectFailure(2, "apus: \(raw): 3 bytes for 'input', wanted a multiple of 256\n")
    }

    func testADatasetThatDoesNotFit() throws {
        let f = try CLIFixture()
        let images = bundledDigits("train-images-idx3-ubyte.gz"), labels = bundledDigits("test-labels-idx1-ubyte.gz")
        try CLIRun("apus", ["train", "--model", "mlp:8", "--data", "idx:\(images),\(labels)", "--quiet"])
            .expectFailure(2, "apus: \(labels): found 360 labels, wanted 1437")
        let table = try f.folder.write(Array("a,b,c\n1,2,x\n1,two,y\n".utf8), "t.csv")
        try CLIRun("apus", ["train", "--model", "mlp:8", "--data", "csv:\(table)", "--quiet"])
            .expectFailure(2, "apus: \(table):3: column \"b\" is \"two\", wanted a finite number")
        let wide = try f.folder.write(Array("a,b,c\n1,2,0\n3,4,1\n".utf8), "wide.csv")
        try CLIRun("apus", ["evaluate", f.model, "--data", "csv:\(wide)", "--quiet"])
            .expectFailure(2, "apus: csv:\(wide): 'input' given as f32 [2, 2], wanted f32 [any, 8, 8, 1]\n")
        try CLIRun("apus", ["train", "--model", "cifar-cnn", "--data", "csv:\(wide)", "--quiet"])
            .expectFailure(2, "apus: layer 'conv2d'")
    }

    func testUnknownNames() throws {
        let f = try CLIFixture()
        _ = try f.samples(1, "x.npy")
        let x = f.file("x.npy")
        try CLIRun("apus", ["inspect", f.model, "--bogus"])
            .expectFailure(64, "apus: Unknown option '--bogus'; see apus inspect --help\n")
        try CLIRun("convert-model", [f.model, "-o", "x", "--bogus"])
            .expectFailure(64, "convert-model: Unknown option '--bogus'; see convert-model --help\n")
        try CLIRun("apus", ["frobnicate"]).expectFailure(64, "apus: ", "; see apus --help\n")
        try CLIRun("apus", ["inspect"]).expectFailure(64, "apus: Missing expected argument '<model>'")
        try CLIRun("apus", ["bench", f.model, "--assert", "p98<1ms"]).expectFailure(64, "apus: ", "p98<1ms")
        try CLIRun("apus", ["bench", f.model, "--threads", "many"]).expectFailure(64, "apus: ", "many")
        try CLIRun("convert-model", [f.model, "-o", "x", "--weights", "f8"]).expectFailure(64, "f8")
        for (tool, arguments) in [
            ("apus", ["inspect", f.model, "--columns", "0"]), ("apus", ["compare", f.model, f.model, "--tolerance", "nan"]),
            ("convert-model", [f.model, "-o", "x", "--verify", "random", "--tolerance=-1"]),
            ("convert-model", [f.model, "-o", "x", "--dim", "n=1:4", "--dim", "n=8"]),
        ] { try CLIRun(tool, arguments).expectFailure(64, tool, ", wanted ") }
        try CLIRun("convert-model", [f.model, "-o", "x", "--tolerance", "1"])
            .expectFailure(64, "convert-model: '--tolerance' needs '--verify'")
        try CLIRun("convert-model", [f.model, "-o", "x", "--c-header", "int"])
            .expectFailure(2, "convert-model: 'int' is a keyword of C or C++\n")
        try CLIRun("convert-model", [f.model, "-o", "x", "--steps", "1"])
            .expectFailure(2, "convert-model: \(f.model): a stream of a file, wanted the folder")
        try CLIRun("apus", ["run", f.model, f.folder.path]).expectFailure(1, "apus: \(f.folder.path): is a directory\n")
        try CLIRun("apus", ["run", f.model, "image=\(x)"])
            .expectFailure(2, "apus: no input 'image', wanted input\n")
        try CLIRun("apus", ["run", f.model, x, x]).expectFailure(2, "apus: \(x): more inputs than 1 (input)\n")
        try CLIRun("apus", ["run", f.model, x, "--function", "train_step"])
            .expectFailure(2, "apus: no function 'train_step', wanted one of predict\n")
        try CLIRun("apus", ["run", f.model, x, "--threads", "0"])
            .expectFailure(64, "apus: --threads 0, wanted 1 ... 256; see apus run --help\n")
        for batch in ["65", "0", "4611686018427387904"] {
            try CLIRun("apus", ["bench", f.model, "--batch", batch, "--quiet"])
                .expectFailure(2, "apus: \(f.model): batch of \(batch), wanted 1 ... 64\n")
        }
        for (option, value) in [
            ("--input", "28,,1"), ("--batch", "0"), ("--outputs", "-1"), ("--steps", "0"), ("--input", "999999,999999"),
            ("--assert", "p99"),
        ] {
            try CLIRun(
                "apus",
                ["bench-training", "mlp:4", "--input", "2", "--outputs", "2", option + "=" + value, "--quiet"]
            ).expectFailure(64, "apus: ", option)
        }
        try CLIRun("apus", ["bench-training", "resnet-9000", "--input", "2", "--outputs", "2", "--quiet"])
            .expectFailure(64, "apus: no model 'resnet-9000', wanted mnist-cnn", "; see apus bench-training --help\n")
        try CLIRun("apus", ["bench-training", "mlp:4,,5", "--input", "2", "--outputs", "2", "--quiet"])
            .expectFailure(64, "apus: 'mlp:4,,5', wanted ")
        try CLIRun("apus", ["train", "--model", "mlp:4", "--data", "tar:x", "--quiet"])
            .expectFailure(2, "apus: data of kind 'tar', wanted idx, cifar10, csv, npz or folder\n")
        try CLIRun("apus", ["train", "--model", "mlp:4", "--data", "csv:x", "--quiet"]).expectFailure(1, "apus: x: ")
        let config = try f.folder.write(Array("{\"modle\": \"mlp:4\"}".utf8), "c.json")
        try CLIRun("apus", ["train", "--config", config]).expectFailure(2, "apus: \(config): key 'modle', wanted some of ")
    }

    func testUnwritableOutputs() throws {
        let f = try CLIFixture()
        try CLIRun("convert-model", [f.model, "-o", f.file("no/folder/o.apus"), "--quiet"])
            .expectFailure(1, "convert-model: \(f.file("no/folder/o.apus")): No such file or directory\n")
        try CLIRun("convert-model", [f.model, "-o", f.folder.path, "--quiet"])
            .expectFailure(1, "convert-model: \(f.folder.path): Is a directory\n")
        _ = try f.samples(1, "x.npy")
        try CLIRun("apus", ["run", f.model, f.file("x.npy"), "-o", f.file("no/folder/y.npz")])
            .expectFailure(1, "apus: \(f.file("no/folder/y.npz")): No such file or directory\n")
        try CLIRun("apus", ["run", f.model, f.file("x.npy"), "-o", f.model])
            .expectFailure(64, "--output \(f.model), wanted a name that ends in .npy or .npz")
        try CLIRun("apus", ["run", f.model, "input=" + f.file("x.npy"), "-o", f.file("x.npy")])
            .expectFailure(64, "--output \(f.file("x.npy")), wanted another file than the input \(f.file("x.npy"))")
        // Nobody may write below /proc, root neither.
        try CLIRun("convert-model", [f.model, "-o", "/proc/o.apus", "--quiet"])
            .expectFailure(1, "convert-model: /proc/o.apus: ")
    }

    /// A link to /dev/full: a file that takes no byte.
    func testFullDisk() throws {
        let f = try CLIFixture()
        _ = try f.samples(1, "x.npy")
        let full = f.file("full.apus"), fullArrays = f.file("full.npz")
        for link in [full, fullArrays] {
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/full")
        }
        try CLIRun("convert-model", [f.model, "-o", full, "--quiet"])
            .expectFailure(1, "convert-model: \(full): No space left on device\n")
        try CLIRun("apus", ["run", f.model, f.file("x.npy"), "-o", fullArrays])
            .expectFailure(1, "apus: \(fullArrays): No space left on device\n")
        try CLIRun("apus", ["inspect", f.model], output: "/dev/full")
            .expectFailure(1, "apus: standard output: No space left on device\n")
        try CLIRun("convert-model", ["--list-operators"], output: "/dev/full")
            .expectFailure(1, "convert-model: standard output: No space left on device\n")
    }

    /// A disk of 64 KB: the old file stays, and no piece of the new one.
    func testFullDiskKeepsTheOldFile() throws {
        let f = try CLIFixture()
        let disk = f.file("disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        let mount = Process()
        mount.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        mount.arguments = ["mount", "-t", "tmpfs", "-o", "size=64k", "apus-test", disk]
        mount.standardError = FileHandle.nullDevice
        try mount.run()
        mount.waitUntilExit()
        try XCTSkipIf(mount.terminationStatus != 0, "mounting a small disk needs root")
        defer {
            let unmount = Process()
            unmount.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            unmount.arguments = ["umount", disk]
            try? unmount.run()
            unmount.waitUntilExit()
        }
        try Data("old".utf8).write(to: URL(fileURLWithPath: disk + "/m.h"))
        _ = FileManager.default.createFile(atPath: disk + "/filler", contents: Data(count: 50_000))
        try CLIRun("convert-model", [f.model, "-o", disk + "/m.h", "--c-header", "m", "--quiet"])
            .expectFailure(1, "convert-model: \(disk)/m.h: No space left on device\n")
        XCTAssertEqual(try String(contentsOfFile: disk + "/m.h", encoding: .utf8), "old")
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: disk).sorted(), ["filler", "m.h"])
    }

    /// A limit of 4 KB on a file's size: the same.
    func testALimitOfTheFileSizeKeepsTheOldFile() throws {
        let f = try CLIFixture(), folder = try ScratchFolder()
        let path = try folder.write(Array("old".utf8), "m.h"), errors = Pipe(), limited = Process()
        limited.executableURL = URL(fileURLWithPath: "/bin/bash")
        limited.arguments = [
            "-c", "ulimit -f 4; exec \"$0\" \"$@\"", CLIRun.path("convert-model"), f.model, "-o", path, "--c-header", "m", "--quiet",
        ]
        limited.standardError = errors
        try limited.run()
        let message = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        limited.waitUntilExit()
        XCTAssertEqual(limited.terminationStatus, 1)
        XCTAssertEqual(message, "convert-model: \(path): File too large\n")
        XCTAssertEqual(try String(contentsOfFile: path, encoding: .utf8), "old")
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), ["m.h"])
    }
}
