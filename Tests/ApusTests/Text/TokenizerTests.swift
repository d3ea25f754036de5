import ApusGraph
import Foundation
import XCTest

@testable import Apus

/// Tests/TransformerTests/test_tokenizers.py compares with the library `tokenizers`.
final class TokenizerTests: XCTestCase {
    private let hard = [
        "", " ", "a  b\n\n c\t", "it's I'LL we've 'tis ''s", "x2½Ⅷ３ $9.99…", "Ångström a\u{30a}e\u{301}", "한국어 中文 नमस्ते",
        "👩‍👩‍👧‍👦🏳️‍🌈", "\u{a0}\u{2003}\u{3000}x\u{0}\u{feff}", "\r\n\r\n",
    ]

    func testBytePairsComeBackWhateverTheyWereTrainedOn() throws {
        let end = "<|endoftext|>"
        let tokenizer = try BytePairTokenizer(
            trainedOn: ["the cat and the hat", "that cat"], vocabularySize: 265, special: [end])
        XCTAssertEqual(tokenizer.vocabularySize, 265)
        XCTAssertEqual(tokenizer.encode(end), [0])
        XCTAssertLessThan(tokenizer.encode("the cat").count, 7)
        for text in hard + [hard.joined(separator: end)] {
            XCTAssertEqual(Array(tokenizer.decode(tokenizer.encode(text)).utf8), Array(text.utf8))
        }
        XCTAssertEqual(tokenizer.decode([-1, 265]), "")
        XCTAssertThrowsError(try BytePairTokenizer(trainedOn: [""], vocabularySize: 100))
        for special in [["<x>", "<x>"], ["a"], ["<x>", ""], ["a\nb"], ["a\0b"]] {
            XCTAssertThrowsError(try BytePairTokenizer(trainedOn: [""], vocabularySize: 300, special: special))
        }
        XCTAssertThrowsError(try BytePairTokenizer(vocabulary: ["a"], merges: [("a", "b")]))
    }

    /// A scan of the word for each merge would take many minutes.
    func testALongWordTakesNoLongerThanItsParts() throws {
        let vocabulary = (0..<11).map { String(repeating: "a", count: 1 << $0) }
        let tokenizer = try BytePairTokenizer(vocabulary: vocabulary, merges: vocabulary.dropLast().map { ($0, $0) })
        let began = Date()
        XCTAssertEqual(
            tokenizer.encode(String(repeating: "a", count: 1 << 17) + "aaa"), Array(repeating: 10, count: 1 << 7) + [1, 0])
        XCTAssertLessThan(Date().timeIntervalSince(began), 60)
    }

    /// As long as there is one, the pair that was merged first in training, where it comes first in the word.
    func testMergesInTheOrderOfTraining() throws {
        let merges = [("b", "a"), ("a", "b"), ("a", "a"), ("aa", "b"), ("ba", "ba"), ("ab", "ab"), ("aa", "aa")]
        let tokenizer = try BytePairTokenizer(vocabulary: ["a", "b"] + merges.map { $0 + $1 }, merges: merges)
        var random = Philox(seed: 3)
        for length in 1..<80 {
            let word = (0..<length).map { _ in random.normal() < 0.3 ? "a" : "b" }
            var parts = word
            while true {
                let found = merges.lazy.compactMap { merge in
                    parts.indices.dropLast().first { (parts[$0], parts[$0 + 1]) == merge }
                }.first
                guard let found else { break }
                parts[found] += parts.remove(at: found + 1)
            }
            XCTAssertEqual(tokenizer.encode(word.joined()).map { tokenizer.vocabulary[$0] }, parts)
        }
    }

    func testAreStoredInFilesAndModels() throws {
        let folder = try ScratchFolder()
        let pairs = try BytePairTokenizer(trainedOn: hard, vocabularySize: 262, special: ["<|x|>"])
        try pairs.write(tokenizer: folder.file("tokenizer.json"))
        let carried = try XCTUnwrap(try TokenizerMetadata.read(pairs.metadata) as? BytePairTokenizer)
        for read in [try BytePairTokenizer(tokenizer: folder.file("tokenizer.json")), carried] {
            XCTAssertEqual(read.vocabulary, pairs.vocabulary)
            XCTAssertEqual(read.special, pairs.special)
            XCTAssertEqual(read.merges.map { "\($0) \($1)" }, pairs.merges.map { "\($0) \($1)" })
        }
        XCTAssertFails(.ioError, "missing/tokenizer.json: No such file or directory") {
            try pairs.write(tokenizer: folder.file("missing/tokenizer.json"))
        }
        let pieces = try WordPieceTokenizer(vocabulary: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##happy", "a", "!"])
        let read = try XCTUnwrap(try TokenizerMetadata.read(pieces.metadata) as? WordPieceTokenizer)
        XCTAssertEqual(read.encode("Unhappy á! zz"), [2, 4, 5, 6, 7, 1, 3])
        XCTAssertEqual(read.decode([2, 4, 5, 6, 7, 3]), "unhappy a !")
        XCTAssertThrowsError(try WordPieceTokenizer(vocabulary: ["[PAD]"]))
        XCTAssertThrowsError(try WordPieceTokenizer(vocabulary: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a\nb"])) {
            XCTAssertEqual(
                ($0 as? ApusError)?.message, "token 4 \"a\\nb\", wanted one without a line end and U+0000")
        }
    }

    func testFilesWithTheLineEndsOfWindows() throws {
        let folder = try ScratchFolder(), pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "##\u{301}", "\u{301}"]
        func write(_ text: String, _ name: String) throws -> String {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
            return folder.file(name)
        }
        for end in ["\n", "\r\n"] {
            let vocabulary = try write(pieces.map { $0 + end }.joined(), "vocab.txt")
            let found = try WordPieceTokenizer(vocabularyFile: vocabulary).vocabulary
            XCTAssertEqual(found.map { Array($0.utf8) }, pieces.map { Array($0.utf8) })
            let numbers = try write("{\"a\": 0, \"b\": 1, \"ab\": 2}" + end, "vocab.json")
            let merges = try write("#version: 0.2\(end)a b\(end)", "merges.txt")
            XCTAssertEqual(try BytePairTokenizer(vocabulary: numbers, merges: merges).encode("abb"), [2, 1])
        }
    }

    func testAnEmptyTokenKeepsItsNumber() throws {
        let tokenizer = try BytePairTokenizer(vocabulary: ["a", "", "b", "ab"], merges: [("a", "b")])
        let read = try XCTUnwrap(try TokenizerMetadata.read(tokenizer.metadata))
        XCTAssertEqual(read.encode("abb"), [3, 2])
    }
}
