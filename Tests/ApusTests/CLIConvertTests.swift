import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus

/// convert-model on files.
final class CLIConvertTests: XCTestCase {
    func testFoldsAndFusesAFileThatWasWrittenPlain() throws {
        let f = try CLIFixture()
        let network = try Sequential(input: [8, 8, 1], name: "plain") {
            Conv2D(4, kernel: 3)
            BatchNorm()
            ReLU()
            Flatten()
            Dense(3, activation: .tanh)
        }
        let plain = try network.inferenceGraph()
        try Goldens.add(to: plain)
        try ModelWriter.write(plain, to: f.file("plain.apus"))
        let x = try f.samples(8, "x.npy")
        let run = try CLIRun(
            "convert-model",
            [f.file("plain.apus"), "-o", f.file("fast.apus"), "--verify", f.file("x.npy"), "--json"])
        run.expectSuccess()
        let json = try run.json()
        XCTAssertEqual(json["nodesBefore"] as? Int, 6)
        let passes = try XCTUnwrap(json["passes"] as? [[String: Any]])
        XCTAssertEqual(passes.map { $0["name"] as? String }, rewritePasses.map { $0.name })
        XCTAssertEqual(passes.last?["nodes"] as? Int, 3)
        let fast = try ApusRuntime.Model(path: f.file("fast.apus")).graph
        XCTAssertEqual(fast.operations, ["Conv2D+ReLU", "Flatten", "Dense+Tanh"])
        XCTAssertEqual(fast.goldens.count, 2, "the producer's pairs stay")
        XCTAssertEqual(try Tensor(fast.goldens[0].outputs[0]), try Tensor(plain.goldens[0].outputs[0]))
        XCTAssertEqual(try Runner(fast).run([x]), try Runner(try network.exportGraph()).run([x]))
        try CLIRun("apus", ["verify", f.file("fast.apus")]).expectSuccess()
    }

    func testDisabledPassesAndKeep() throws {
        let f = try CLIFixture()
        let plain = try f.network.inferenceGraph()
        try ModelWriter.write(plain, to: f.file("plain.apus"))
        let out = f.file("out.apus")
        try CLIRun(
            "convert-model",
            [f.file("plain.apus"), "-o", out, "--disable", "fuse-activation", "--disable", "pack-weights", "--quiet"]
        ).expectSuccess()
        let graph = try ApusRuntime.Model(path: out).graph
        XCTAssertEqual(graph.operations, ["Conv2D", "Relu", "BatchNorm", "Flatten", "Dense"])
        XCTAssertTrue(graph.constants.allSatisfy { $0.type.layout == .plain })
        XCTAssertEqual(graph.goldens.count, 2, "a file without golden pairs gets some")
        try CLIRun("convert-model", [f.file("plain.apus"), "-o", out, "--keep", "--quiet"]).expectSuccess()
        XCTAssertEqual(try ApusRuntime.Model(path: out).graph.operations, plain.operations)
        try CLIRun("convert-model", [f.model, "-o", out, "--disable", "polish"])
            .expectFailure(2, "convert-model: \(f.model): no pass 'polish', wanted one of push-transposes, ")
    }

    func testHalfWeights() throws {
        let f = try CLIFixture()
        _ = try f.samples(8, "x.npy")
        for type in ["f16", "bf16"] {
            let out = f.file("\(type).apus")
            let arguments = [f.model, "-o", out, "--weights", type, "--verify", f.file("x.npy")]
            let run = try CLIRun("convert-model", arguments)
            run.expectSuccess()
            let verified = try CLIRun("convert-model", arguments + ["--json"]).json()["verified"] as? [[String: Any]]
            let scaled = Quantity.digits(try XCTUnwrap(verified?.first?["scaled"] as? Double))
            XCTAssertTrue(run.output.contains(", \(scaled) of the largest value\n"), run.output)
            let graph = try ApusRuntime.Model(path: out).graph
            XCTAssertEqual(graph.constants.filter { $0.type.dtype.name == type }.count, 2)
            try CLIRun("apus", ["verify", out]).expectSuccess()
            try CLIRun("convert-model", [f.model, "-o", out, "--weights", type, "--verify", f.file("x.npy"),
                "--tolerance", "1e-9", "--quiet"])
                .expectFailure(1, "convert-model: output 'output' differs by ", ", wanted at most 1.00e-09")
        }
        // Back to f32: what a narrow file says, exactly.
        let wide = f.file("wide.apus")
        try CLIRun("convert-model", [f.file("f16.apus"), "-o", wide, "--weights", "f32", "--quiet"]).expectSuccess()
        let compared = try CLIRun("apus", ["compare", f.file("f16.apus"), wide])
        XCTAssertTrue(compared.output.contains("every value is the same"), compared.output)
    }

    /// The header compiles as C99, C11 and C++17 without a warning, and holds the file's bytes, aligned.
    func testCHeader() throws {
        let f = try CLIFixture()
        let header = f.file("m.h")
        try CLIRun("convert-model", [f.model, "-o", header, "--c-header", "small_model", "--keep", "--quiet"])
            .expectSuccess()
        try CLIRun("convert-model", [f.model, "-o", f.file("kept.apus"), "--keep", "--quiet"]).expectSuccess()
        let program = try f.folder.write(
            Array(
                """
                #include "m.h"
                #include "m.h"
                #include <stdint.h>
                #include <stdio.h>
                int main(void) {
                    if ((uintptr_t)small_model % 64 != 0) return 1;
                    if (small_model_size != sizeof small_model) return 2;
                    return fwrite(small_model, 1, small_model_size, stdout) == small_model_size ? 0 : 3;
                }

                """.utf8), "main.c")
        let wanted = try Data(contentsOf: URL(fileURLWithPath: f.file("kept.apus")))
        for flags in [["-std=c99", "-x", "c"], ["-std=c11", "-x", "c"], ["-std=c++17", "-x", "c++"]] {
            let binary = f.file("main")
            let compile = Process()
            compile.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            compile.arguments = ["clang", "-Wall", "-Wextra", "-Werror"] + flags + [program, "-o", binary]
            try compile.run()
            compile.waitUntilExit()
            XCTAssertEqual(compile.terminationStatus, 0, "\(flags)")
            let run = Process(), pipe = Pipe()
            run.executableURL = URL(fileURLWithPath: binary)
            run.standardOutput = pipe
            try run.run()
            let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
            run.waitUntilExit()
            XCTAssertEqual(run.terminationStatus, 0)
            XCTAssertEqual(bytes, wanted)
        }
        try CLIRun("convert-model", [f.model, "-o", header, "--c-header", "2small"])
            .expectFailure(2, "convert-model: '2small' is not a C identifier")
    }

    func testLists() throws {
        let passes = try CLIRun("convert-model", ["--passes"])
        for pass in rewritePasses { XCTAssertTrue(passes.output.contains(pass.name)) }
        let operators = try CLIRun("convert-model", ["--list-operators", "--json"]).json()
        let names = try XCTUnwrap(operators["apus"] as? [[String: Any]]).map { $0["name"] as? String }
        XCTAssertEqual(names.count, operatorTable.entries.count)
        XCTAssertEqual(Set(names), Set(operatorTable.entries.map { $0.name }))
        let page = try String(contentsOf: CaseFiles.root.appendingPathComponent("Docs/Operators.md"), encoding: .utf8)
        XCTAssertEqual(
            try CLIRun("convert-model", ["--list-operators", "--markdown"]).output, page,
            "Docs/Operators.md: write it anew by convert-model --list-operators --markdown")
    }
}
