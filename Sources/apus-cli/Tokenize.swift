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
            TOKENIZER is an .apus file that carries one, the folder with tokenizer.json, or vocab.json and merges.txt, of
            byte-level BPE, tokenizer.json, or vocab.txt of WordPiece. Each line of standard input gives a line of tokens.
            """)

    @Argument(help: "What has the tokenizer, or with --train the tokenizer.json to write.")
    var tokenizer: String

    @Option(name: .long, help: "A text to train byte-level BPE on.")
    var train: String?

    @Option(help: "Tokens of the vocabulary that is trained; 1000 by default.")
    var size: Int?

    @Option(help: "A token that stands for itself, for training; may be given more than once.")
    var special: [String] = []

    @Flag(help: "Lines of tokens to JSON strings of text.")
    var decode = false

    @Flag(help: "Each line of input is a JSON string, which may hold line ends.")
    var strings = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        let training = OptionNeed("'--train'", train != nil), coding = OptionNeed("a call without '--train'", train == nil)
        try OptionNeed.check([
            ("--size", size != nil, training), ("--special", !special.isEmpty, training), ("--decode", decode, coding),
            ("--strings", strings, coding),
        ])
        if let train { _ = try WrittenFiles([("TOKENIZER", tokenizer)], reading: [train]) }
        guard train == nil || tokenizer.hasSuffix(".json") else {
            throw ValidationError("TOKENIZER '\(tokenizer)', wanted a name ending in .json")
        }
    }

    func run() throws {
        let console = common.console(toolName)
        if let train {
            guard let data = FileManager.default.contents(atPath: train) else {
                throw ApusError(.ioError, "\(train): cannot be read")
            }
            let trained = try BytePairTokenizer(
                trainedOn: [try Tokenize.text(data, train)], vocabularySize: size ?? 1000, special: special)
            try trained.write(tokenizer: tokenizer)
            if common.json {
                try console.json(["tokens": trained.vocabularySize])
            } else {
                try console.result("\(tokenizer): \(Quantity.counted(trained.vocabularySize, "token"))\n")
            }
            return
        }
        let tokenizer = try Tokenize.open(tokenizer)
        var lines = FileHandle.standardInput.readDataToEndOfFile().split(separator: 10, omittingEmptySubsequences: false)
        if lines.last?.isEmpty ?? false { lines.removeLast() }
        if decode {
            let texts = try lines.map { tokenizer.decode(try Tokenize.tokens($0)) }
            if common.json { return try console.json(texts) }
            return try console.result(try texts.map { try Tokenize.quoted($0) + "\n" }.joined())
        }
        let tokens = try lines.enumerated().map { index, line in
            tokenizer.encode(strings ? try Tokenize.unquoted(Data(line)) : try Tokenize.text(line, "line \(index + 1)"))
        }
        if common.json { return try console.json(tokens) }
        try console.result(tokens.map { $0.map { "\($0)" }.joined(separator: " ") + "\n" }.joined())
    }

    private static func text(_ bytes: Data, _ place: String) throws(ApusError) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.utf8.elementsEqual(bytes) else { throw .file("\(place): not UTF-8, wanted a text in it") }
        return text
    }

    private static func tokens(_ line: Data.SubSequence) throws -> [Int] {
        try line.split(separator: 32).map { part in
            let text = String(decoding: part, as: UTF8.self)
            guard let token = Int(text) else { throw ApusError.argument("'\(text.prefix(40))' on a line, wanted numbers of tokens") }
            return token
        }
    }

    private static func open(_ path: String) throws -> any Apus.Tokenizer {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            return try BytePairTokenizer(folder: path)
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
