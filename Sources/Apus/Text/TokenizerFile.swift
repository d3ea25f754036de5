import ApusGraph
import Foundation

/// tokenizer.json of the library `tokenizers`.
struct TokenizerFile: Decodable {
    struct Added: Decodable {
        let id: Int
        let content: String
        let singleWord, lstrip, rstrip, normalized: Bool?
    }
    /// A normalizer or pre-tokenizer.
    struct Part: Decodable {
        let type: String
        let addPrefixSpace, useRegex, lowercase, stripAccents, handleChineseChars, cleanText: Bool?
    }
    /// "a b" in older files, ["a", "b"] in newer ones.
    struct Merge: Decodable {
        let parts: [String]

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let text = try? value.decode(String.self) {
                parts = text.split(separator: " ").map { String($0) }
            } else {
                parts = try value.decode([String].self)
            }
        }
    }
    struct Model: Decodable {
        let vocab: [String: Int]
        let merges: [Merge]?
        let dropout: Double?
        let byteFallback, ignoreMerges: Bool?
        let unkToken, continuingSubwordPrefix, endOfWordSuffix: String?
        let maxInputCharsPerWord: Int?
    }
    let addedTokens: [Added]?
    let normalizer: Part?
    let preTokenizer: Part?
    let model: Model

    /// The algorithm, which says what the rest is: "BPE", "WordPiece", "Unigram", ….
    static func type(_ path: String) throws(ApusError) -> String {
        struct Kind: Decodable {
            struct Model: Decodable { let type: String? }
            let model: Model
        }
        let kind: Kind = try json(path)
        return kind.model.type ?? "none"
    }

    /// Throws where its algorithm is another one.
    static func read(_ path: String, of wanted: String) throws(ApusError) -> TokenizerFile {
        let found = try type(path)
        guard found == wanted else { throw .unsupported("\(path): a tokenizer of type \(found), wanted \(wanted)") }
        let file: TokenizerFile = try json(path)
        for token in file.addedTokens ?? [] {
            let name = "of added token \(token.content.debugDescription)"
            try require("single_word \(name)", token.singleWord, [nil, false], path)
            try require("lstrip \(name)", token.lstrip, [nil, false], path)
            try require("rstrip \(name)", token.rstrip, [nil, false], path)
        }
        return file
    }

    /// Throws unless a setting, which tokens depend on, has one of the values that are known here; nil: it is not there.
    static func require<Value: Equatable>(
        _ name: String, _ found: Value?, _ known: [Value?], _ path: String
    ) throws(ApusError) {
        func text(_ value: Value?) -> String { value.map { "'\($0)'" } ?? "none" }
        guard known.contains(where: { $0 == found }) else {
            throw .unsupported("\(path): \(name) \(text(found)), wanted \(text(known.compactMap { $0 }.first))")
        }
    }

    /// The tokens of the model and the added ones in the order of their numbers, which must be 0 ..< as many.
    func vocabulary(_ path: String) throws(ApusError) -> [String] {
        var numbers = model.vocab
        for token in addedTokens ?? [] { numbers[token.content] = token.id }
        return try TokenizerFile.ordered(numbers, path)
    }

    static func ordered(_ numbers: [String: Int], _ path: String) throws(ApusError) -> [String] {
        var tokens = [String?](repeating: nil, count: numbers.count)
        for (token, number) in numbers {
            guard tokens.indices.contains(number), tokens[number] == nil else {
                throw .unsupported(
                    "\(path): token \(token.debugDescription) has number \(number), wanted each of 0 ..< \(numbers.count) once")
            }
            tokens[number] = token
        }
        return tokens.map { $0! }
    }

    static func json<Value: Decodable>(_ path: String) throws(ApusError) -> Value {
        let data = try FileBytes.data(path)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { return try decoder.decode(Value.self, from: data) } catch {
            throw .file("\(path): no JSON of a tokenizer")
        }
    }
}
