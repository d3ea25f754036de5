import ApusGraph
import Foundation

extension BytePairTokenizer {
    /// From a folder of `transformers`: tokenizer.json where it has one, else vocab.json, merges.txt and added_tokens.json.
    public init(folder: String) throws(ApusError) {
        func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(name)") }
        if has("tokenizer.json") {
            try self.init(tokenizer: "\(folder)/tokenizer.json")
        } else {
            try self.init(
                vocabulary: "\(folder)/vocab.json", merges: "\(folder)/merges.txt",
                added: has("added_tokens.json") ? "\(folder)/added_tokens.json" : nil)
        }
    }

    /// From GPT-2's files: vocab.json, the tokens' numbers by their text; merges.txt, a pair a line after a comment; and where
    /// there is one added_tokens.json, the numbers of further tokens, which stand for themselves.
    public init(vocabulary: String, merges: String, added: String? = nil) throws(ApusError) {
        var numbers: [String: Int] = try TokenizerFile.json(vocabulary)
        let further: [String: Int] = try added.map { path throws(ApusError) in try TokenizerFile.json(path) } ?? [:]
        numbers.merge(further) { $1 }
        let lines = try BytePairTokenizer.text(merges).fileLines.filter { !$0.hasPrefix("#version") && !$0.isEmpty }
        let tokens = try TokenizerFile.ordered(numbers, vocabulary)
        // GPT-2's own file has it last, and no list of what is special.
        let special = tokens.filter { further[$0] != nil || $0.hasPrefix("<|") && $0.hasSuffix("|>") }
        try self.init(vocabulary: tokens, merges: try BytePairTokenizer.merges(lines), special: special)
    }

    /// From tokenizer.json of the library `tokenizers`, if it is of byte-level BPE as GPT-2's.
    public init(tokenizer path: String) throws(ApusError) {
        let file = try TokenizerFile.read(path, of: "BPE"), model = file.model
        try TokenizerFile.require("normalizer", file.normalizer?.type, [nil], path)
        try TokenizerFile.require("pre_tokenizer", file.preTokenizer?.type, ["ByteLevel"], path)
        try TokenizerFile.require("add_prefix_space", file.preTokenizer?.addPrefixSpace, [false], path)
        try TokenizerFile.require("use_regex", file.preTokenizer?.useRegex, [nil, true], path)
        try TokenizerFile.require("dropout", model.dropout, [nil, 0], path)
        try TokenizerFile.require("byte_fallback", model.byteFallback, [nil, false], path)
        try TokenizerFile.require("ignore_merges", model.ignoreMerges, [nil, false], path)
        try TokenizerFile.require("continuing_subword_prefix", model.continuingSubwordPrefix, [nil, ""], path)
        try TokenizerFile.require("end_of_word_suffix", model.endOfWordSuffix, [nil, ""], path)
        var merges: [(String, String)] = []
        for merge in model.merges ?? [] {
            guard merge.parts.count == 2 else { throw .file("\(path): a merge of \(merge.parts.count) tokens, wanted 2") }
            merges.append((merge.parts[0], merge.parts[1]))
        }
        try self.init(
            vocabulary: try file.vocabulary(path), merges: merges, special: (file.addedTokens ?? []).map { $0.content })
    }

    /// Writes tokenizer.json, which the library `tokenizers` reads.
    public func write(tokenizer path: String) throws(ApusError) {
        let numbers = Dictionary(uniqueKeysWithValues: vocabulary.enumerated().map { ($1, $0) })
        let added = special.map { Written.Added(id: numbers[$0]!, content: $0) }
        let file = Written(
            addedTokens: added.sorted { $0.id < $1.id },
            model: Written.Model(vocab: numbers, merges: merges.map { [$0, $1] }))
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(file) else { throw .argument("\(path): a tokenizer that JSON cannot hold") }
        try AtomicFile.write([UInt8](json), to: path)
    }

    private static func text(_ path: String) throws(ApusError) -> String {
        String(decoding: try FileBytes.data(path), as: UTF8.self)
    }

    /// tokenizer.json as it is written here.
    private struct Written: Encodable {
        struct Added: Encodable {
            let id: Int
            let content: String
            let singleWord = false, lstrip = false, rstrip = false, normalized = false, special = true
        }
        struct ByteLevel: Encodable {
            let type = "ByteLevel"
            let addPrefixSpace = false, trimOffsets = true, useRegex = true
        }
        struct Model: Encodable {
            let type = "BPE"
            let vocab: [String: Int]
            let merges: [[String]]
        }
        let version = "1.0"
        let addedTokens: [Added]
        let preTokenizer = ByteLevel(), decoder = ByteLevel()
        let model: Model
    }
}
