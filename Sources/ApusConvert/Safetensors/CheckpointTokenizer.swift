import Apus
import ApusGraph

/// The tokenizer of a checkpoint as metadata of the model, so that one file is all that turns text into a result, and
/// programs need no reader of JSON. Byte-level BPE is written as `BytePairTokenizer` says, WordPiece as `WordPieceTokenizer`.
enum CheckpointTokenizer {
    /// The entries of the tokenizer, and the tokens that end a text.
    static func entries(
        root: CheckpointFolder, encoder: CheckpointFolder, _ model: any CheckpointModel, warn: (String) -> Void
    ) throws(ApusError) -> [(key: String, value: String)] {
        let ends = try endTokens(encoder).filter { 0..<model.vocabulary ~= $0 }.map { "\($0)" }.joined(separator: " ")
        return try tokenizer(root: root, encoder: encoder, positions: model.positions, warn: warn)
            + (ends.isEmpty ? [] : [(TokenizerMetadata.end, ends)])
    }

    /// As generation says that has a file of its own, or else the model's.
    private static func endTokens(_ folder: CheckpointFolder) throws(ApusError) -> [Int] {
        struct Config: Decodable {
            /// A number or several.
            struct Tokens: Decodable {
                let all: [Int]
                init(from decoder: any Decoder) throws {
                    let value = try decoder.singleValueContainer()
                    all = try (try? [value.decode(Int.self)]) ?? value.decode([Int].self)
                }
            }
            let eosTokenId: Tokens?
        }
        let file = folder.has("generation_config.json") ? "generation_config.json" : "config.json"
        return try folder.json(Config.self, file).eosTokenId?.all ?? []
    }

    /// From the encoder's folder or else the outer one. Without a tokenizer that is known there is no entry, and `warn` hears why.
    ///
    /// - Parameter positions: that the model has, beyond which WordPiece cuts a text.
    private static func tokenizer(
        root: CheckpointFolder, encoder: CheckpointFolder, positions: Int, warn: (String) -> Void
    ) throws(ApusError) -> [(key: String, value: String)] {
        do throws(ApusError) {
            for folder in [encoder, root] {
                if let found = try metadata(folder, positions) { return found }
            }
            warn("no tokenizer: wanted tokenizer.json, vocab.json and merges.txt, or vocab.txt in the folder")
        } catch where [.unsupported, .invalidArgument].contains(error.code) {
            warn("no tokenizer: \(error.message)")
        }
        return []
    }

    private static func metadata(
        _ folder: CheckpointFolder, _ positions: Int
    ) throws(ApusError) -> [(key: String, value: String)]? {
        let file = "tokenizer.json"
        if folder.has(file) {
            struct Kind: Decodable {
                struct Model: Decodable { let type: String? }
                let model: Model
            }
            guard try folder.json(Kind.self, file).model.type == "WordPiece" else {
                return try BytePairTokenizer(tokenizer: folder.path(file)).metadata
            }
            let length = try maximumTokens(folder, positions)
            return try WordPieceTokenizer(tokenizer: folder.path(file), maximumTokens: length).metadata
        }
        if folder.has("vocab.json") && folder.has("merges.txt") { return try BytePairTokenizer(folder: folder.url.path).metadata }
        guard folder.has("vocab.txt") else { return nil }
        struct Config: Decodable { let doLowerCase, stripAccents, tokenizeChineseChars: Bool? }
        let configFile = "tokenizer_config.json"
        let config = folder.has(configFile) ? try folder.json(Config.self, configFile) : nil
        var options = WordPieceTokenizer.Options()
        options.lowercase = config?.doLowerCase ?? true
        options.stripsAccents = config?.stripAccents ?? options.lowercase
        options.splitsChinese = config?.tokenizeChineseChars ?? true
        options.maximumTokens = try maximumTokens(folder, positions)
        return try WordPieceTokenizer(vocabularyFile: folder.path("vocab.txt"), options).metadata
    }

    /// The length to cut a text to: the least of what the folder says and the model's positions.
    private static func maximumTokens(_ folder: CheckpointFolder, _ positions: Int) throws(ApusError) -> Int {
        struct Lengths: Decodable { let maxSeqLength, modelMaxLength: Double? }
        var least = Double(positions)
        for file in ["sentence_bert_config.json", "tokenizer_config.json"] where folder.has(file) {
            let lengths = try folder.json(Lengths.self, file)
            least = min(least, lengths.maxSeqLength ?? least, lengths.modelMaxLength ?? least)
        }
        guard least >= 2 else { throw .argument("\(folder.url.path): texts of at most \(least) tokens, wanted 2 or more") }
        return Int(least)
    }
}
