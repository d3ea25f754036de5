import Apus
import XCTest

final class WordTokenizerTests: XCTestCase {
    func testWordsAreRunsOfLettersDigitsAndApostrophes() {
        XCTAssertEqual(
            WordTokenizer.words("It's 90 minutes -- of \"Über\"-fun, no?"), ["it's", "90", "minutes", "of", "über", "fun", "no"])
        XCTAssertEqual(WordTokenizer.words(" .,! "), [])
    }

    /// test_words of Tests/PythonTests has the same.
    func testWordsOfAllKindsOfLetters() throws {
        let tokenizer = try WordTokenizer(vocabulary: ["it's", "über", "90", "i\u{307}x", "हिन्दी", "\u{A7DB}", "½"])
        for (text, indices) in [
            ("It's 90 -- of \"\u{DC}ber\"-fun", [2, 4, 1, 3, 1]), ("U\u{308}BER it\u{2019}s", [3, 1, 1]),
            ("\u{130}X \u{A7DA}", [5, 7]), ("हिन्दी\u{3000}½", [6, 8]), (" .,! ", []), ("a\u{200D}b", [1, 1]),
        ] {
            XCTAssertEqual(tokenizer.encode(text), indices, text)
        }
    }

    func testTheMostFrequentWordsAreTheVocabulary() throws {
        let tokenizer = try WordTokenizer(fitting: ["b a a c", "c a d"], maximumWords: 5)
        XCTAssertEqual(tokenizer.vocabulary, ["a", "c", "b"])
        XCTAssertEqual(tokenizer.vocabularySize, 5)
        XCTAssertEqual(tokenizer.encode("A d b, c"), [2, 1, 4, 3])
        XCTAssertEqual(tokenizer.decode([0, 2, 1, 3, 9]), "a c")
        let rows = try tokenizer.encode(["a b c d", "c", ""], length: 3)
        XCTAssertEqual(rows.shape, [3, 3])
        XCTAssertEqual(try rows.array(of: Int32.self), [2, 4, 3, 3, 0, 0, 0, 0, 0])
    }

    func testMetadataKeepTheVocabulary() throws {
        let tokenizer = try WordTokenizer(fitting: ["the rock is destined"], maximumWords: 10)
        XCTAssertEqual(try TokenizerMetadata.read([("author", "x")] + tokenizer.metadata) as? WordTokenizer, tokenizer)
        XCTAssertThrowsError(try TokenizerMetadata.read([(TokenizerMetadata.type, "words")]))
    }

    func testRefusals() throws {
        XCTAssertThrowsError(try WordTokenizer(fitting: ["a"], maximumWords: 1))
        XCTAssertThrowsError(try WordTokenizer(vocabulary: ["a", "a"]))
        XCTAssertThrowsError(try WordTokenizer(vocabulary: ["two words"]))
        XCTAssertThrowsError(try WordTokenizer(vocabulary: []).encode(["a"], length: 0))
    }
}
