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
}
