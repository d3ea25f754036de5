import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// Says that after a character comes the next of the vocabulary: logits are rows of a table.
private final class Successor: Layer {
    let count: Int
    init(_ count: Int) {
        self.count = count
        super.init()
    }

    override var runsStepByStep: Bool { true }

    override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let next = try context.parameter("table", [count, count], Next())
        return [try context(Gather(), next, inputs[0])]
    }

    private struct Next: Initializer {
        func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
            try Tensor((0..<shape[0] * shape[1]).map { ($0 / shape[1] + 1) % shape[0] == $0 % shape[1] ? 9 : Float(0) }, shape: shape)
        }
    }
}

final class TextGeneratorTests: XCTestCase {
    private func generator(_ text: String, chunks: [Int] = [1, 4]) throws -> TextGenerator {
        let tokenizer = try CharacterTokenizer(characters: Array(text.unicodeScalars))
        let network = try Sequential(input: [16], dtype: .i32) { Successor(tokenizer.vocabularySize) }
        network.metadata = tokenizer.metadata
        return try TextGenerator(try Model(try network.exportGraph(steps: StepOptions(chunks: chunks))))
    }

    func testContinuesAPrompt() throws {
        let generator = try generator("abcdefgh")
        var pieces: [String] = []
        let generation = try generator.generate("abcdef", GenerationOptions(maximumTokens: 5, sampling: .greedy)) {
            pieces.append($0)
            return true
        }
        XCTAssertEqual(generation.text, "ghabc")
        XCTAssertEqual(generation.tokens, [6, 7, 0, 1, 2])
        XCTAssertEqual(generation.promptTokens, 6)
        XCTAssertEqual(generation.end, .length)
        XCTAssertEqual(pieces.joined(), "ghabc")
    }

    func testStops() throws {
        let generator = try generator("abcdefgh")
        var options = GenerationOptions(sampling: .greedy, stopTexts: ["ha", "xyz"])
        var heard = ""
        let byText = try generator.generate("cd", options) { heard += $0; return true }
        XCTAssertEqual([byText.text, heard], ["efg", "efg"])
        XCTAssertEqual(byText.end, .stop)
        options = GenerationOptions(sampling: .greedy, stopTokens: [7])
        XCTAssertEqual(try generator.generate("cd", options).text, "efg")
        let stopped = try generator.generate("cd", GenerationOptions(sampling: .greedy)) { $0 != "f" }
        XCTAssertEqual(stopped.end, .callback)
        XCTAssertEqual(stopped.text, "ef")
        XCTAssertEqual(try generator.generate("a", GenerationOptions(maximumTokens: 0)).text, "")
    }

    /// A stop that does not come after all is handed out late, and whole.
    func testWhatLooksLikeAStopIsHandedOutLater() throws {
        let generator = try generator("abcdefgh")
        var pieces: [String] = []
        let generation = try generator.generate(
            "a", GenerationOptions(maximumTokens: 5, sampling: .greedy, stopTexts: ["cdX"])) { pieces.append($0); return true }
        XCTAssertEqual(generation.text, "bcdef")
        XCTAssertEqual(pieces, ["b", "cde", "f"])
    }

    func testRefusals() throws {
        let network = try Sequential(input: [16], dtype: .i32) { Successor(3) }
        let tokenizer = try CharacterTokenizer(fitting: "abc")
        XCTAssertThrowsError(try TextGenerator(try Model(try network.exportGraph()), tokenizer: tokenizer)) {
            XCTAssertTrue("\($0)".contains("no function 'step'"), "\($0)")
        }
        let steps = try Model(try network.exportGraph(steps: StepOptions()))
        XCTAssertThrowsError(try TextGenerator(steps)) { XCTAssertTrue("\($0)".contains("without a tokenizer"), "\($0)") }
        XCTAssertThrowsError(try TextGenerator(steps, tokenizer: try CharacterTokenizer(fitting: "abcd"))) {
            XCTAssertTrue("\($0)".contains("a tokenizer of 4 tokens for a model of 3"), "\($0)")
        }
        XCTAssertThrowsError(try TextGenerator(steps, tokenizer: tokenizer).generate("xyz"))
        let stream = try TokenStream(steps)
        XCTAssertThrowsError(try stream.read([3]))
        XCTAssertThrowsError(try stream.read([-1]))
        XCTAssertThrowsError(try stream.read([]))
    }

    func testCharacters() throws {
        let tokenizer = try CharacterTokenizer(fitting: "žluťoučký kůň\n")
        XCTAssertEqual(tokenizer.decode(tokenizer.encode("kůň\u{1F40E} ž")), "kůň ž")
        let read = try XCTUnwrap(try TokenizerMetadata.read(tokenizer.metadata) as? CharacterTokenizer)
        XCTAssertEqual(read, tokenizer)
        XCTAssertThrowsError(try CharacterTokenizer(characters: ["a", "b", "a"]))
        XCTAssertThrowsError(try CharacterTokenizer(characters: []))
        XCTAssertThrowsError(try TokenizerMetadata.read([("tokenizer.type", "characters")]))
        XCTAssertNil(try TokenizerMetadata.read([]))
        XCTAssertNil(try TokenizerMetadata.read([("tokenizer.type", "of another time")]))
    }
}
