import Apus
import ApusGraph
import ApusRuntime
import ArgumentParser
import Foundation
import ToolSupport

struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Text to tokens, and back; trains a vocabulary of byte pairs.",
        discussion: """
            TOKENIZER is an .apus file that carries one, tokenizer.json or the folder with vocab.json and merges.txt of
            byte-level BPE, or vocab.txt of WordPiece. Each line of standard input gives a line of tokens.
            """)

    @Argument(help: "What has the tokenizer, or with --train the tokenizer.json to write.")
    var tokenizer: String

    @Option(name: .long, help: "A text to train byte-level BPE on.")
    var train: String?

    @Option(help: "Tokens of the vocabulary that is trained.")
    var size = 1000

    @Option(help: "A token that stands for itself, for training; may be given more than once.")
    var special: [String] = []

    @Flag(help: "Lines of tokens to JSON strings of text.")
    var decode = false

    @Flag(help: "Each line of input is a JSON string, which may hold line ends.")
    var strings = false

    @OptionGroup var common: CommonOptions

    func run() throws {
        let console = common.console(toolName)
        if let train {
            guard let data = FileManager.default.contents(atPath: train) else { throw ApusError.argument("\(train) cannot be read") }
            let trained = try BytePairTokenizer(
                trainedOn: [String(decoding: data, as: UTF8.self)], vocabularySize: size, special: special)
            try trained.write(tokenizer: tokenizer)
            if !common.quiet { try console.result("\(tokenizer): \(trained.vocabularySize) tokens\n") }
            return
        }
        let tokenizer = try Tokenize.open(tokenizer)
        var lines = FileHandle.standardInput.readDataToEndOfFile().split(separator: 10, omittingEmptySubsequences: false)
        if lines.last?.isEmpty ?? false { lines.removeLast() }
        var text = ""
        for line in lines {
            if decode {
                let tokens = line.split(separator: 32).compactMap { Int(String(decoding: $0, as: UTF8.self)) }
                text += try Tokenize.quoted(tokenizer.decode(tokens)) + "\n"
            } else {
                let given = strings ? try Tokenize.unquoted(Data(line)) : String(decoding: line, as: UTF8.self)
                text += tokenizer.encode(given).map { "\($0)" }.joined(separator: " ") + "\n"
            }
        }
        try console.result(text)
    }

    private static func open(_ path: String) throws -> any Apus.Tokenizer {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            return try BytePairTokenizer(vocabulary: path + "/vocab.json", merges: path + "/merges.txt")
        }
        if path.hasSuffix(".json") { return try BytePairTokenizer(tokenizer: path) }
        if path.hasSuffix(".txt") { return try WordPieceTokenizer(vocabularyFile: path) }
        guard let carried = try TokenizerMetadata.read(try ApusRuntime.Model(path: path).graph.metadata) else {
            throw ApusError.argument("\(path) carries no tokenizer that is known")
        }
        return carried
    }

    private static func quoted(_ text: String) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return String(decoding: try encoder.encode(text), as: UTF8.self)
    }

    private static func unquoted(_ line: Data) throws -> String {
        guard let text = try? JSONDecoder().decode(String.self, from: line) else {
            throw ApusError.argument("line '\(String(decoding: line.prefix(40), as: UTF8.self))', wanted a JSON string")
        }
        return text
    }
}
