import ApusGraph
import Foundation
import XCTest

@testable import Apus
@testable import ApusConvert

/// Tokenizers that the folders of checkpoints have, as metadata of models.
final class CheckpointTokenizerTests: XCTestCase {
    private var fixtures: CheckpointFixtures { CheckpointFixtures(test: self) }
    private let pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##happy", "a", "!"]

    private func write(_ text: String, _ folder: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder).appendingPathComponent(name))
    }

    private func tokenizer(_ folder: String) throws -> (any Tokenizer)? {
        try TokenizerMetadata.read(try CheckpointImporter.graph(of: folder, [:]).metadata)
    }

    func testAVocabularyOfLines() throws {
        let folder = try fixtures.bert()
        for end in ["\n", "\r\n"] {
            try write(pieces.map { $0 + end }.joined(), folder, "vocab.txt")
            let found = try XCTUnwrap(try tokenizer(folder) as? WordPieceTokenizer)
            XCTAssertEqual(found.vocabulary, pieces)
            XCTAssertEqual(found.encode("Unhappy a!"), [2, 5, 6, 7, 8, 3])
        }
        try Data([0x5B, 0xFF]).write(to: URL(fileURLWithPath: folder + "/vocab.txt"))
        XCTAssertThrowsError(try tokenizer(folder)) {
            XCTAssertEqual(($0 as? ApusError)?.message, "\(folder)/vocab.txt: not UTF-8")
        }
    }

    private func write(_ json: Any, _ folder: String, _ name: String) throws {
        try write(String(decoding: try JSONSerialization.data(withJSONObject: json), as: UTF8.self), folder, name)
    }

    /// The model's tokenizer, by its type, and what is said of it.
    private func outcome(_ folder: String) throws -> (type: String?, warnings: [String]) {
        var warnings: [String] = []
        let graph = try CheckpointImporter.graph(of: folder, [:]) { warnings.append($0) }
        return (graph.metadata.first { $0.key == "tokenizer.type" }?.value, warnings)
    }

    func testWhatHasNoTokenizerIsToldWhy() throws {
        let folder = try fixtures.gpt2(), file = folder + "/tokenizer.json"
        let cases: [(Any, String)] = [
            (["model": ["type": "Unigram", "vocab": [["a", 0.5]]]], "\(file): a tokenizer of type Unigram, wanted BPE"),
            (["model": ["type": "BPE", "vocab": ["a": 0], "merges": [Any]()], "pre_tokenizer": ["type": "Sequence"]],
                "\(file): pre_tokenizer 'Sequence', wanted 'ByteLevel'"),
            (["model": ["type": "WordPiece", "vocab": ["a": 0]]], "\(file): normalizer none, wanted 'BertNormalizer'"),
            (["model": ["type": "WordPiece", "vocab": ["a": 0]], "normalizer": ["type": "BertNormalizer"],
              "pre_tokenizer": ["type": "BertPreTokenizer"]], "a vocabulary of 1 pieces without [UNK]"),
        ]
        for (json, reason) in cases {
            try write(json, folder, "tokenizer.json")
            let (type, warnings) = try outcome(folder)
            XCTAssertNil(type)
            XCTAssertEqual(warnings, ["no tokenizer: \(reason)"])
        }
        try FileManager.default.removeItem(atPath: file)
        let wanted = "no tokenizer: wanted tokenizer.json, vocab.json and merges.txt, or vocab.txt in the folder"
        XCTAssertEqual(try outcome(folder).warnings, [wanted])
        let run = try CLIRun("convert-model", [folder, "-o", folder + "/m.apus", "--steps", "1"])
        run.expectSuccess()
        XCTAssertTrue(run.output.contains("\nwarning: \(wanted)\n"), run.output)
    }

    func testTheFileOfTheLibraryComesBeforeOlderOnes() throws {
        let folder = try fixtures.gpt2()
        try write(["a": 0, "b": 1], folder, "vocab.json")
        try write("", folder, "merges.txt")
        XCTAssertEqual(try tokenizer(folder)?.encode("a<pad>"), [0, 0])
        try write(["<pad>": 2], folder, "added_tokens.json")
        XCTAssertEqual(try tokenizer(folder)?.encode("a<pad>"), [0, 2])
        let added: [String: Any] = ["id": 2, "content": "<s>", "special": true]
        try write(
            ["model": ["type": "BPE", "vocab": ["a": 0, "b": 1], "merges": [Any]()], "added_tokens": [added],
             "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false]] as [String: Any], folder, "tokenizer.json")
        XCTAssertEqual(try outcome(folder).warnings, [])
        XCTAssertEqual(try tokenizer(folder)?.encode("a<pad><s>"), [0, 0, 2])
    }

    /// The model has 12 positions.
    func testTextsAreCutToWhatTheModelTakes() throws {
        let folder = try fixtures.bert()
        try write(pieces.joined(separator: "\n"), folder, "vocab.txt")
        func longest() throws -> Int? { try tokenizer(folder)?.encode(String(repeating: "a ", count: 100)).count }
        XCTAssertEqual(try longest(), 12)
        try write(["model_max_length": 1e30], folder, "tokenizer_config.json")
        XCTAssertEqual(try longest(), 12)
        try write(["model_max_length": 9], folder, "tokenizer_config.json")
        XCTAssertEqual(try longest(), 9)
        try write(["max_seq_length": 7], folder, "sentence_bert_config.json")
        XCTAssertEqual(try longest(), 7)
        try write(["max_seq_length": 1], folder, "sentence_bert_config.json")
        XCTAssertEqual(
            try outcome(folder).warnings, ["no tokenizer: \(folder): texts of at most 1.0 tokens, wanted 2 or more"])
    }

    func testTheTokensThatEndAText() throws {
        func ends(_ folder: String) throws -> Set<Int> {
            try TokenizerMetadata.endTokens(try CheckpointImporter.graph(of: folder, [:]).metadata)
        }
        XCTAssertEqual(try ends(try fixtures.gpt2()), [])
        XCTAssertEqual(try ends(try fixtures.gpt2(["eos_token_id": 50256])), [])
        let folder = try fixtures.gpt2(["eos_token_id": 18])
        XCTAssertEqual(try ends(folder), [18])
        try write(["eos_token_id": [3, 4]], folder, "generation_config.json")
        XCTAssertEqual(try ends(folder), [3, 4])
        try write(["eos_token_id": "x"], folder, "generation_config.json")
        XCTAssertThrowsError(try ends(folder)) {
            XCTAssertEqual(
                ($0 as? ApusError)?.message, "\(folder)/generation_config.json: 'eos_token_id': not of type Array<Any>")
        }
        try write(["eos_token_id": NSNull()], folder, "generation_config.json")
        XCTAssertEqual(try ends(folder), [])
    }
}
