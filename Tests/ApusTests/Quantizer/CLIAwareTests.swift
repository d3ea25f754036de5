import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus

/// apus train --quantization-aware.
final class CLIAwareTests: XCTestCase {
    private let digits: [String] = {
        let folder = CaseFiles.root.appendingPathComponent("Examples/digits/data").path
        return ["--model", "mlp:16", "--data", "idx:\(folder)/test-images-idx3-ubyte.gz,\(folder)/test-labels-idx1-ubyte.gz", "--quiet"]
    }()

    /// Trained in f32, then on as int8: an integer file that still knows the digits.
    func testTunesTheWeightsOfACheckpoint() throws {
        let f = try CLIFixture(), checkpoint = f.file("real.apus"), out = f.file("int8.apus")
        try CLIRun("apus", ["train"] + digits + ["--epochs", "12", "--learning-rate", "0.01", "--checkpoint", checkpoint]).expectSuccess()
        try CLIRun(
            "apus",
            ["train"] + digits + [
                "--epochs", "2", "--learning-rate", "0.001", "--initial-weights", checkpoint, "--quantization-aware",
                "--learn-ranges", "1", "--freeze-batch-norm", "1", "--export", out,
            ]
        ).expectSuccess()
        let operations = try ApusRuntime.Model(path: out).graph.functions[0].nodes.map { $0.op.name }
        XCTAssertEqual(operations.filter { $0 == "QuantizedDense" }.count, 2)
        try CLIRun("apus", ["evaluate", out, "--data", digits[3], "--minimum-accuracy", "0.8", "--quiet"]).expectSuccess()
    }

    func testMisuse() throws {
        try CLIRun("apus", ["train"] + digits + ["--freeze-observers", "1"])
            .expectFailure(64, "apus: '--freeze-observers' needs '--quantization-aware'")
        try CLIRun("apus", ["train"] + digits + ["--quantization-aware", "--keep-float", "nothing"])
            .expectFailure(2, "no node 'nothing' to keep real")
        try CLIRun("apus", ["train"] + digits + ["--initial-weights", "missing.apus"]).expectFailure(1, "missing.apus")
        let f = try CLIFixture(), exported = f.model
        try CLIRun("apus", ["train"] + digits + ["--initial-weights", exported])
            .expectFailure(2, "apus: \(exported): an exported model, wanted a checkpoint, as of 'apus train --checkpoint', or")
    }
}
