import ApusGraph
import Foundation
import XCTest

@testable import Apus

/// tokenizer.json and the files beside it: what is read, and that no setting on which tokens depend is passed over.
final class TokenizerFileTests: XCTestCase {
    private var folder: ScratchFolder!

    override func setUpWithError() throws { folder = try ScratchFolder() }

    @discardableResult
    private func write(_ json: Any, _ name: String = "tokenizer.json") throws -> String {
        let path = folder.file(name)
        try JSONSerialization.data(withJSONObject: json).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func added(_ content: String, _ id: Int, _ changes: [String: Any] = [:]) -> [String: Any] {
        let usual: [String: Any] = [
            "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            "special": true,
        ]
        return usual.merging(changes) { $1 }
    }

    /// Entries of the model and of the file, some of them changed.
    private func pairs(_ model: [String: Any] = [:], _ file: [String: Any] = [:]) -> [String: Any] {
        let usual: [String: Any] = ["type": "BPE", "vocab": ["a": 0, "b": 1, "ab": 2], "merges": ["a b"]]
        let rest: [String: Any] = ["pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false], "added_tokens": [Any]()]
        return rest.merging(file) { $1 }.merging(["model": usual.merging(model) { $1 }]) { $1 }
    }

    private func pieces(_ model: [String: Any] = [:], _ file: [String: Any] = [:]) -> [String: Any] {
        let names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "##b", "[DOC]"]
        let usual: [String: Any] = [
            "type": "WordPiece", "vocab": Dictionary(uniqueKeysWithValues: zip(names, 0...)), "unk_token": "[UNK]",
            "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
        ]
        let rest: [String: Any] = [
            "pre_tokenizer": ["type": "BertPreTokenizer"],
            "normalizer": ["type": "BertNormalizer", "lowercase": true, "clean_text": true], "added_tokens": [Any](),
        ]
        return rest.merging(file) { $1 }.merging(["model": usual.merging(model) { $1 }]) { $1 }
    }

    private func expectRefusal(_ part: String, line: UInt = #line, _ body: () throws -> Void) {
        XCTAssertThrowsError(try body(), line: line) {
            let message = ($0 as? ApusError)?.message ?? "\($0)"
            XCTAssertTrue(message.hasPrefix(folder.file("tokenizer.json")) && message.hasSuffix(part), message, line: line)
        }
    }

    func testSettingsOfBytePairsThatChangeTokensAreRefused() throws {
        XCTAssertEqual(try BytePairTokenizer(tokenizer: try write(pairs())).encode("aab"), [0, 2])
        let cases: [([String: Any], String)] = [
            (pairs(["dropout": 0.1]), "dropout '0.1', wanted '0.0'"),
            (pairs(["byte_fallback": true]), "byte_fallback 'true', wanted 'false'"),
            (pairs(["ignore_merges": true]), "ignore_merges 'true', wanted 'false'"),
            (pairs(["end_of_word_suffix": "</w>"]), "end_of_word_suffix '</w>', wanted ''"),
            (pairs([:], ["normalizer": ["type": "NFC"]]), "normalizer 'NFC', wanted none"),
            (pairs([:], ["pre_tokenizer": ["type": "Sequence"]]), "pre_tokenizer 'Sequence', wanted 'ByteLevel'"),
            (pairs([:], ["pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": true]]), "add_prefix_space 'true', wanted 'false'"),
            (pairs([:], ["added_tokens": [added("<m>", 3, ["lstrip": true])]]), "lstrip of added token \"<m>\" 'true', wanted 'false'"),
            (pairs([:], ["added_tokens": [added("<m>", 3, ["rstrip": true])]]), "rstrip of added token \"<m>\" 'true', wanted 'false'"),
            (pairs([:], ["added_tokens": [added("<m>", 3, ["single_word": true])]]),
                "single_word of added token \"<m>\" 'true', wanted 'false'"),
            (pairs([:], ["added_tokens": [added("<m>", 5)]]), "token \"<m>\" has number 5, wanted each of 0 ..< 4 once"),
            (pieces(), "a tokenizer of type WordPiece, wanted BPE"),
        ]
        for (json, part) in cases {
            let path = try write(json)
            expectRefusal(part) { _ = try BytePairTokenizer(tokenizer: path) }
        }
    }

    func testSettingsOfWordPieceThatChangeTokensAreRefused() throws {
        XCTAssertEqual(try WordPieceTokenizer(tokenizer: try write(pieces())).encode("AB a"), [2, 4, 5, 4, 3])
        let cases: [([String: Any], String)] = [
            (pieces(["max_input_chars_per_word": 3]), "max_input_chars_per_word '3', wanted '100'"),
            (pieces(["unk_token": "<unk>"]), "unk_token '<unk>', wanted '[UNK]'"),
            (pieces(["continuing_subword_prefix": ""]), "continuing_subword_prefix '', wanted '##'"),
            (pieces([:], ["pre_tokenizer": ["type": "Whitespace"]]), "pre_tokenizer 'Whitespace', wanted 'BertPreTokenizer'"),
            (pieces([:], ["normalizer": ["type": "BertNormalizer", "clean_text": false]]), "clean_text 'false', wanted 'true'"),
            (pieces([:], ["normalizer": NSNull()]), "normalizer none, wanted 'BertNormalizer'"),
            (pieces([:], ["added_tokens": [added("[DOC]", 6, ["normalized": true])]]),
                "normalized of added token \"[DOC]\" 'true', wanted 'false'"),
            (pieces([:], ["added_tokens": [added("new", 7)]]),
                "added token \"new\" not in the vocabulary, wanted one with punctuation in it"),
            (pairs(), "a tokenizer of type BPE, wanted WordPiece"),
        ]
        for (json, part) in cases {
            let path = try write(json)
            expectRefusal(part) { _ = try WordPieceTokenizer(tokenizer: path) }
        }
    }

    /// And a file that says nothing of them has the usual ones.
    func testAddedPiecesStandForThemselves() throws {
        let tokens = [added("[UNK]", 1), added("[DOC]", 6), added("[NEW]", 7)]
        let read = try WordPieceTokenizer(tokenizer: try write(pieces([:], ["added_tokens": tokens])))
        let carried = try XCTUnwrap(try TokenizerMetadata.read(read.metadata) as? WordPieceTokenizer)
        for tokenizer in [read, carried] {
            XCTAssertEqual(tokenizer.vocabulary.last, "[NEW]")
            XCTAssertEqual(tokenizer.pieces("a [DOC]ab[NEW] [PAD]"), [4, 6, 4, 5, 7, 1, 1, 1])
        }
        XCTAssertTrue(read.metadata.contains { $0 == ("tokenizer.special", "[UNK]\n[DOC]\n[NEW]") })
        let usual = try WordPieceTokenizer(vocabulary: read.vocabulary)
        XCTAssertFalse(usual.metadata.contains { $0.key == "tokenizer.special" })
        let again = try XCTUnwrap(try TokenizerMetadata.read(usual.metadata) as? WordPieceTokenizer)
        XCTAssertEqual(again.special, ["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
        XCTAssertEqual(again.pieces("a [PAD]"), [4, 0])
        let without = try XCTUnwrap(try TokenizerMetadata.read([
            ("tokenizer.type", "wordpiece"), ("tokenizer.vocabulary", read.vocabulary.joined(separator: "\n")),
            ("tokenizer.special", ""),
        ]) as? WordPieceTokenizer)
        XCTAssertEqual(without.pieces("a [PAD]"), [4, 1, 1, 1])
        XCTAssertThrowsError(try WordPieceTokenizer(vocabulary: read.vocabulary, special: ["[X]"]))
    }

    func testAFoldersTokenizer() throws {
        try write(["a": 0, "b": 1, "ab": 2], "vocab.json")
        try Data("#version: 0.2\na b\n".utf8).write(to: URL(fileURLWithPath: folder.file("merges.txt")))
        let path = folder.path
        XCTAssertEqual(try BytePairTokenizer(folder: path).encode("a<pad>ab"), [0, 0, 2])
        try write(["<pad>": 3], "added_tokens.json")
        XCTAssertEqual(try BytePairTokenizer(folder: path).encode("a<pad>ab"), [0, 3, 2])
        let run = try CLIRun("apus", ["tokenize", path], input: Array("a<pad>ab\n".utf8))
        run.expectSuccess()
        XCTAssertEqual(run.output, "0 3 2\n")
        try write(pairs(["merges": [Any]()], ["added_tokens": [added("<s>", 3)]]))
        XCTAssertEqual(try BytePairTokenizer(folder: path).encode("ab<s>"), [0, 1, 3])
    }
}
