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

    func testEndsWithTheLastPosition() throws {
        let network = try Sequential(input: [6], dtype: .i32) {
            Embedding(8, 4)
            PositionEmbedding(10)
            Dense(8)
        }
        network.metadata = try CharacterTokenizer(fitting: "abcdefgh").metadata
        let graph = try network.exportGraph(steps: StepOptions(chunks: [1, 4]))
        XCTAssertEqual(graph.metadata.first { $0.key == "stream.positions" }?.value, "10")
        let generator = try TextGenerator(try Model(graph)), options = GenerationOptions(maximumTokens: 20, sampling: .greedy)
        // The token after the last position is told, and has none.
        for prompt in ["abc", "abcdefghab"] {
            let generation = try generator.generate(prompt, options)
            XCTAssertEqual(generation.end, .context)
            XCTAssertEqual(prompt.count + generation.tokens.count, 11)
        }
        XCTAssertEqual(try generator.generate("abc", GenerationOptions(maximumTokens: 8)).end, .length)
        XCTAssertThrowsError(try generator.generate("abcdefghabc", options)) {
            XCTAssertEqual("\($0)", "a stream of 11 tokens, wanted at most 10, the model's positions")
        }
    }

    func testEndsWhereTheModelSays() throws {
        let folder = try ScratchFolder(), path = folder.file("m.apus"), tokenizer = try CharacterTokenizer(fitting: "abcdefgh")
        let network = try Sequential(input: [16], dtype: .i32) { Successor(8) }
        network.metadata = tokenizer.metadata + [("tokenizer.end", "7 5")]
        let graph = try network.exportGraph(steps: StepOptions())
        try ModelWriter.write(graph, to: path)
        let generator = try TextGenerator(try Model(graph))
        XCTAssertEqual(generator.endTokens, [5, 7])
        XCTAssertEqual(try generator.generate("c", GenerationOptions(sampling: .greedy)).text, "de")
        XCTAssertEqual(try generator.generate("c", GenerationOptions(sampling: .greedy, stopTokens: [6])).text, "def")
        let endless = try generator.generate("c", GenerationOptions(maximumTokens: 7, sampling: .greedy, stopTokens: []))
        XCTAssertEqual(endless.text, "defghab")
        XCTAssertThrowsError(try generator.generate("c", GenerationOptions(stopTokens: [8])))
        let arguments = ["generate", path, "--prompt", "c", "--temperature", "0"]
        XCTAssertEqual(try CLIRun("apus", arguments).output, "de\n")
        XCTAssertEqual(try CLIRun("apus", arguments + ["--stop-token", "6"]).output, "def\n")
        try CLIRun("apus", arguments + ["--stop-token", "8"]).expectFailure(2, "stop token 8, wanted 0 ..< 8")
        try CLIRun("apus", arguments + ["--stop", ""]).expectFailure(64, "--stop '', wanted a text")
        XCTAssertThrowsError(try TokenizerMetadata.endTokens([("tokenizer.end", "x")]))
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

    /// Tokens that are bytes, of which some are no UTF-8: in pieces the text that they are together.
    func testPiecesAreTheWhole() throws {
        let tokenizer = try BytePairTokenizer(vocabulary: ByteAlphabet.characters.map { String(Character($0)) }, merges: [])
        var random = Philox(seed: 3)
        let alphabet: [UInt8] = [0x41, 0x80, 0x9F, 0xA0, 0xBF, 0xC1, 0xC3, 0xE0, 0xE2, 0xED, 0xF0, 0xF4, 0xF5, 0xFF]
        for _ in 0..<300 {
            var bytes: [Int] = []
            for _ in 0..<24 { bytes.append(Int(alphabet[Int(random.next() % UInt64(alphabet.count))])) }
            bytes += Array("ů\u{1F40E}\u{FFFD}".utf8).map { Int($0) }
            var text = GeneratedText(tokenizer, stops: []), pieces = ""
            for byte in bytes { pieces += text.append(byte) }
            XCTAssertTrue(pieces.unicodeScalars.suffix(3).elementsEqual("ů\u{1F40E}\u{FFFD}".unicodeScalars))
            pieces += text.finish()
            XCTAssertEqual(Array(pieces.utf8), Array(tokenizer.decode(bytes).utf8), "\(bytes)")
            XCTAssertEqual(text.text, pieces)
        }
    }

    /// The first of two stops, found in pieces of any length.
    func testStopsAcrossTokens() throws {
        let tokenizer = try WordTokenizer(vocabulary: ["the", "end", "of", "a", "text"])
        for (stops, wanted) in [
            (["end of a t", "of"], "the end "), (["d of"], "the en"), (["text the"], "the end of a "), (["x"], "the end of a te"),
        ] {
            var text = GeneratedText(tokenizer, stops: stops), pieces = ""
            for token in [2, 3, 4, 5, 6, 2] where !text.isStopped { pieces += text.append(token) }
            pieces += text.finish()
            XCTAssertTrue(text.isStopped)
            XCTAssertEqual(text.text, wanted)
            XCTAssertEqual(pieces, wanted)
        }
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
        XCTAssertThrowsError(try TextGenerator(steps, tokenizer: tokenizer).generate("xyyz")) {
            XCTAssertEqual("\($0)", "a prompt of 'xyz', wanted characters of the vocabulary")
        }
        let stream = try TokenStream(steps)
        XCTAssertThrowsError(try stream.read([3]))
        XCTAssertThrowsError(try stream.read([-1]))
        XCTAssertThrowsError(try stream.read([]))
    }

    func testTheToolSaysWhatOfAPromptIsLeftOut() throws {
        let folder = try ScratchFolder(), path = folder.file("m.apus"), tokenizer = try CharacterTokenizer(fitting: "abcd")
        let network = try Sequential(input: [16], dtype: .i32) { Successor(4) }
        network.metadata = tokenizer.metadata
        try ModelWriter.write(try network.exportGraph(steps: StepOptions()), to: path)
        let arguments = ["generate", path, "--max-tokens", "2", "--temperature", "0", "--prompt"]
        let run = try CLIRun("apus", arguments + ["axbx"])
        run.expectSuccess()
        XCTAssertEqual(run.output, "cd\n")
        XCTAssertTrue(run.errors.hasPrefix("'x' of the prompt left out: not in the vocabulary\n"), run.errors)
        try CLIRun("apus", arguments + ["xy"])
            .expectFailure(2, "apus: a prompt of 'xy', wanted characters of the vocabulary\n")
    }

    /// The first token is no measure of it.
    func testTheToolTellsTheSpeedOfFurtherTokens() throws {
        let folder = try ScratchFolder(), path = folder.file("m.apus"), tokenizer = try CharacterTokenizer(fitting: "abcd")
        let network = try Sequential(input: [16], dtype: .i32) { Successor(4) }
        network.metadata = tokenizer.metadata
        try ModelWriter.write(try network.exportGraph(steps: StepOptions()), to: path)
        for count in [0, 1, 2] {
            let arguments = ["generate", path, "--prompt", "a", "--max-tokens", "\(count)"], said = "1 token read, \(count) written"
            let run = try CLIRun("apus", arguments)
            run.expectSuccess()
            XCTAssertEqual(run.errors.contains("\(said)\n"), count < 2, run.errors)
            XCTAssertEqual(run.errors.contains("\(said), ") && run.errors.contains(" a second\n"), count == 2, run.errors)
            let report = try JSONSerialization.jsonObject(with: Data(try CLIRun("apus", arguments + ["--json"]).output.utf8))
            XCTAssertEqual((report as? [String: Any])?["tokensPerSecond"] != nil, count == 2)
        }
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
