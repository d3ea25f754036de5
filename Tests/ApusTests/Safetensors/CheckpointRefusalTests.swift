import ApusGraph
import Foundation
import XCTest

@testable import Apus
@testable import ApusConvert

/// What of a checkpoint a model would lack.
final class CheckpointRefusalTests: XCTestCase {
    private var fixtures: CheckpointFixtures { CheckpointFixtures(test: self) }

    private func expectFailure(_ folder: String, _ part: String, line: UInt = #line) {
        for open in [
            { _ = try CheckpointImporter.graph(of: folder, [:]) }, { _ = try Network.pretrained(folder, length: 4) },
        ] {
            XCTAssertThrowsError(try open(), line: line) {
                let message = ($0 as? ApusError)?.message ?? "\($0)"
                XCTAssertTrue(message.hasPrefix(folder) && message.contains(part), message, line: line)
            }
        }
    }

    private func warnings(_ folder: String) throws -> [String] {
        var graph: [String] = [], network: [String] = []
        _ = try CheckpointImporter.graph(of: folder, [:]) { graph.append($0) }
        _ = try Network.pretrained(folder, length: 4) { network.append($0) }
        let unused = graph.filter { $0.hasPrefix("not used: ") }
        XCTAssertEqual(unused, network)
        return unused
    }

    func testUnusedTensorsAreNamed() throws {
        let head: [(String, [Int])] = [("score.weight", [3, 16]), ("h.0.attn.bias", [1, 1, 12, 12]), ("h.1.attn.masked_bias", [])]
        XCTAssertEqual(try warnings(try fixtures.gpt2(more: head)), ["not used: score.weight"])
        let tied = try fixtures.gpt2(more: [("lm_head.weight", [19, 16])], copies: ["lm_head.weight": "wte.weight"])
        XCTAssertEqual(try warnings(tied), [])
        XCTAssertEqual(try warnings(try fixtures.bert(more: [("bert.embeddings.position_ids", [1, 12])])), [])
        let many = (0..<10).map { ("classifier.\($0)", [2]) }
        let names = (0..<8).map { "classifier.\($0)" }.joined(separator: ", ")
        XCTAssertEqual(try warnings(try fixtures.bert(more: many)), ["not used: \(names) and 2 more"])
    }

    /// transformers would not tie such a head, whatever config.json says.
    func testATiedHeadIsTheTable() throws {
        for shape in [[19, 16], [18, 16]] {
            expectFailure(try fixtures.gpt2(more: [("lm_head.weight", shape)]), "'lm_head.weight' differs from 'wte.weight'")
        }
    }

    func testAPickleIsNamed() throws {
        let folder = try fixtures.gpt2(), model = folder + "/model.safetensors"
        try FileManager.default.moveItem(atPath: model, toPath: folder + "/pytorch_model.bin")
        expectFailure(folder, "pytorch_model.bin: a pickle, wanted model.safetensors")
    }

    func testAStreamHasAStepOfOneToken() throws {
        let folder = try fixtures.gpt2(), output = folder + "/m.apus"
        for steps in ["4", "2,4"] {
            try CLIRun("convert-model", [folder, "-o", output, "--steps", steps])
                .expectFailure(2, "--steps '\(steps)', wanted 1 among them, such as 1,\(steps)")
        }
        try CLIRun("convert-model", [folder, "-o", output, "--steps", "4,1"]).expectSuccess()
        try CLIRun("convert-model", [folder, "-o", output]).expectSuccess()
        try fixtures.pairs().write(toFile: folder + "/vocab.json", atomically: true, encoding: .utf8)
        try "".write(toFile: folder + "/merges.txt", atomically: true, encoding: .utf8)
        try CLIRun("convert-model", [folder, "-o", output]).expectSuccess()
        try CLIRun("apus", ["generate", output, "--prompt", "a"])
            .expectFailure(2, "no function 'step' of one token, wanted a model of 'convert-model --steps 1,16'")
    }

    /// As transformers takes them.
    func testTheSingleFileComesBeforeAnIndex() throws {
        let folder = try fixtures.gpt2(), index = folder + "/model.safetensors.index.json"
        try "{\"weight_map\": {\"wte.weight\": \"part.safetensors\"}}".write(toFile: index, atomically: true, encoding: .utf8)
        _ = try CheckpointImporter.graph(of: folder, [:])
        let model = folder + "/model.safetensors", part = folder + "/part.safetensors"
        try FileManager.default.moveItem(atPath: model, toPath: part)
        _ = try CheckpointImporter.graph(of: folder, [:])
        try FileManager.default.removeItem(atPath: part)
        expectFailure(folder, "part.safetensors: ")
    }

    func testTheToolWarns() throws {
        let folder = try fixtures.gpt2(more: [("score.weight", [3, 16])]), output = folder + "/m.apus"
        for steps in [[], ["--steps", "1"]] {
            let run = try CLIRun("convert-model", [folder, "-o", output] + steps)
            run.expectSuccess()
            XCTAssertTrue(run.output.contains("\nwarning: not used: score.weight\n"), run.output)
        }
        let run = try CLIRun("convert-model", [folder, "-o", output, "--json"])
        let report = try XCTUnwrap(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        XCTAssertEqual((report["warnings"] as? [String])?.contains("not used: score.weight"), true, run.output)
    }

    func testFewerLayersThanThereAreAreRefused() throws {
        expectFailure(
            try fixtures.gpt2(["n_layer": 1]), "tensor 'h.1.attn.c_attn.bias' of layer 1, wanted layers 0 ..< 1 by config.json")
        expectFailure(try fixtures.bert(["num_hidden_layers": 1]), "of layer 1, wanted layers 0 ..< 1 by config.json")
    }

    /// As `transformers` has them; what has no default there that fits a checkpoint is asked for by its name.
    func testDefaultsOfTheConfig() throws {
        let bert: [String: Any?] = ["type_vocab_size": nil as Any?, "hidden_act": nil as Any?, "layer_norm_eps": nil as Any?]
        let gpt2: [String: Any?] = ["activation_function": nil as Any?, "layer_norm_epsilon": nil as Any?]
        let pairs = [(try fixtures.bert(), try fixtures.bert(bert)), (try fixtures.gpt2(), try fixtures.gpt2(gpt2))]
        for (full, short) in pairs {
            let graphs = try [full, short].map { try CheckpointImporter.graph(of: $0, [:]) }
            for graph in graphs { graph.name = "same" }
            XCTAssertEqual(try ModelWriter.bytes(graphs[0]), try ModelWriter.bytes(graphs[1]))
        }
        expectFailure(try fixtures.gpt2(["n_head": nil as Any?]), "config.json: 'n_head': missing")
        expectFailure(try fixtures.bert(["hidden_act": 3]), "config.json: 'hidden_act': not of type String")
    }

    func testCrossAttentionIsRefused() throws {
        let part = "config.json: add_cross_attention 'true', wanted false"
        expectFailure(try fixtures.gpt2(["add_cross_attention": true]), part)
        expectFailure(try fixtures.bert(["add_cross_attention": true]), part)
    }
}
