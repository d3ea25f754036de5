import Apus
import ApusGraph

/// The tokenizer of a checkpoint as metadata of the model, so that one file is all that turns text into a result, and
/// programs need no reader of JSON.
///
/// Byte-level BPE is written as `BytePairTokenizer` says, WordPiece so:
///
/// | key | value |
/// |---|---|
/// | `tokenizer.type` | `wordpiece` |
/// | `tokenizer.vocabulary` | the tokens in the order of their ids, a line each |
/// | `tokenizer.lowercase`, `tokenizer.strip_accents`, `tokenizer.split_chinese` | `1` or `0` |
/// | `tokenizer.max_tokens` | the length to truncate a sequence to, where the folder says one |
enum CheckpointTokenizer {
    /// From tokenizer.json, or vocab.txt and tokenizer_config.json, of the encoder's folder or else of the outer one.
    static func entries(
        root: CheckpointFolder, encoder: CheckpointFolder
    ) throws(ApusError) -> [(key: String, value: String)] {
        for folder in [encoder, root] {
            if let pairs = try bytePairs(folder) { return pairs.metadata }
            var found = try fast(folder)
            if found == nil { found = try plain(folder) }
            guard let (vocabulary, options) = found else { continue }
            struct Sentence: Decodable { let maxSeqLength: Int? }
            let file = "sentence_bert_config.json"
            let length = folder.has(file) ? try folder.json(Sentence.self, file).maxSeqLength : nil
            func flag(_ value: Bool) -> String { value ? "1" : "0" }
            return [
                ("tokenizer.type", "wordpiece"),
                ("tokenizer.lowercase", flag(options.lowercase)),
                ("tokenizer.strip_accents", flag(options.stripAccents ?? options.lowercase)),
                ("tokenizer.split_chinese", flag(options.splitChinese)),
            ] + (length.map { [("tokenizer.max_tokens", "\($0)")] } ?? []) + [("tokenizer.vocabulary", vocabulary)]
        }
        return []
    }

    /// GPT-2's vocab.json and merges.txt, or a tokenizer.json of the same kind.
    private static func bytePairs(_ folder: CheckpointFolder) throws(ApusError) -> BytePairTokenizer? {
        if folder.has("vocab.json") && folder.has("merges.txt") {
            return try BytePairTokenizer(vocabulary: folder.path("vocab.json"), merges: folder.path("merges.txt"))
        }
        struct Kind: Decodable {
            struct Model: Decodable { let type: String? }
            let model: Model
        }
        let file = "tokenizer.json"
        guard folder.has(file), try folder.json(Kind.self, file).model.type == "BPE" else { return nil }
        return try BytePairTokenizer(tokenizer: folder.path(file))
    }

    private struct Options {
        let lowercase: Bool
        /// nil: as `lowercase`.
        let stripAccents: Bool?
        let splitChinese: Bool
    }

    /// tokenizer.json, of the library `tokenizers`.
    private static func fast(_ folder: CheckpointFolder) throws(ApusError) -> (String, Options)? {
        struct Kind: Decodable {
            struct Model: Decodable { let type: String? }
            struct Normalizer: Decodable {
                let type: String
                let lowercase, stripAccents, handleChineseChars: Bool?
            }
            let model: Model
            let normalizer: Normalizer?
        }
        let file = "tokenizer.json"
        guard folder.has(file) else { return nil }
        let kind = try folder.json(Kind.self, file)
        guard kind.model.type == "WordPiece", let normalizer = kind.normalizer, normalizer.type == "BertNormalizer" else {
            return nil
        }
        struct Vocabulary: Decodable {
            struct Model: Decodable { let vocab: [String: Int] }
            let model: Model
        }
        let ids = try folder.json(Vocabulary.self, file).model.vocab
        var tokens = [String?](repeating: nil, count: ids.count)
        for (token, id) in ids {
            guard tokens.indices.contains(id), tokens[id] == nil, !token.utf8.contains(UInt8(ascii: "\n")) else {
                throw .file("\(folder.path(file)): token '\(token)' has id \(id), wanted each of 0 ..< \(ids.count) once")
            }
            tokens[id] = token
        }
        let options = Options(
            lowercase: normalizer.lowercase ?? true, stripAccents: normalizer.stripAccents,
            splitChinese: normalizer.handleChineseChars ?? true)
        return (tokens.compactMap { $0 }.joined(separator: "\n"), options)
    }

    /// vocab.txt, of BERT's own tokenizer.
    private static func plain(_ folder: CheckpointFolder) throws(ApusError) -> (String, Options)? {
        struct Config: Decodable { let doLowerCase, stripAccents, tokenizeChineseChars: Bool? }
        guard folder.has("vocab.txt") else { return nil }
        let file = "tokenizer_config.json"
        let config = folder.has(file) ? try folder.json(Config.self, file) : nil
        var lines = try folder.text("vocab.txt").split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        if lines.last == "" { lines.removeLast() }
        let options = Options(
            lowercase: config?.doLowerCase ?? true, stripAccents: config?.stripAccents,
            splitChinese: config?.tokenizeChineseChars ?? true)
        return (lines.joined(separator: "\n"), options)
    }
}
