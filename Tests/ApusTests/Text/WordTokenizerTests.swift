import Apus
import XCTest

final class WordTokenizerTests: XCTestCase {
    func testWordsAreRunsOfLettersDigitsAndApostrophes() {
        XCTAssertEqual(
            WordTokenizer.words("It's 90 minutes -- of \"Über\"-fun, no?"), ["it's", "90", "minutes", "of", "über", "fun", "no"])
        XCTAssertEqual(WordTokenizer.words(" .,! "), [])
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
