import ApusGraph
import Foundation

extension BytePairTokenizer {
    /// From GPT-2's two files: vocab.json, the tokens' numbers by their text, and merges.txt, a pair a line after a comment.
    public init(vocabulary: String, merges: String) throws(ApusError) {
        let numbers: [String: Int] = try BytePairTokenizer.json(vocabulary)
        let lines = try BytePairTokenizer.text(merges).fileLines.filter { !$0.hasPrefix("#version") && !$0.isEmpty }
        let tokens = try BytePairTokenizer.ordered(numbers, vocabulary)
        // GPT-2's own file has it last, and no list of what is special.
        let special = tokens.filter { $0.hasPrefix("<|") && $0.hasSuffix("|>") }
        try self.init(vocabulary: tokens, merges: try BytePairTokenizer.merges(lines), special: special)
    }

    /// From tokenizer.json of the library `tokenizers`, if it is of byte-level BPE as GPT-2's.
    public init(tokenizer path: String) throws(ApusError) {
        let file: File = try BytePairTokenizer.json(path)
        guard file.model.type == "BPE", file.preTokenizer?.type == "ByteLevel", file.preTokenizer?.addPrefixSpace == false,
            file.preTokenizer?.useRegex != false, file.normalizer == nil
        else { throw .unsupported("\(path): a tokenizer other than byte-level BPE, split as GPT-2 does without a normalizer") }
        var numbers = file.model.vocab
        let added = file.addedTokens ?? []
        for token in added { numbers[token.content] = token.id }
        try self.init(
            vocabulary: try BytePairTokenizer.ordered(numbers, path),
            merges: try file.model.merges.map { merge throws(ApusError) in try merge.pair },
            special: added.map { $0.content })
    }

    /// Writes tokenizer.json, which the library `tokenizers` reads.
    public func write(tokenizer path: String) throws(ApusError) {
        let numbers = Dictionary(uniqueKeysWithValues: vocabulary.enumerated().map { ($1, $0) })
        let added = special.map { File.Added(id: numbers[$0]!, content: $0, special: true) }
        let file = File(
            version: "1.0", addedTokens: added.sorted { $0.id < $1.id }, normalizer: nil,
            preTokenizer: File.ByteLevel(), decoder: File.ByteLevel(),
            model: File.Model(type: "BPE", vocab: numbers, merges: merges.map { File.Merge(pair: [$0, $1]) }))
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { try encoder.encode(file).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
            throw .argument("\(path) cannot be written")
        }
    }

    /// Tokens in the order of their numbers, which must be 0 ..< as many.
    private static func ordered(_ numbers: [String: Int], _ path: String) throws(ApusError) -> [String] {
        var tokens = [String?](repeating: nil, count: numbers.count)
        for (token, number) in numbers {
            guard tokens.indices.contains(number), tokens[number] == nil else {
                throw .file("\(path): token '\(token)' has number \(number), wanted each of 0 ..< \(numbers.count) once")
            }
            tokens[number] = token
        }
        return tokens.map { $0! }
    }

    private static func text(_ path: String) throws(ApusError) -> String {
        guard let data = FileManager.default.contents(atPath: path) else { throw .argument("\(path) cannot be read") }
        return String(decoding: data, as: UTF8.self)
    }

    private static func json<Value: Decodable>(_ path: String) throws(ApusError) -> Value {
        guard let data = FileManager.default.contents(atPath: path) else { throw .argument("\(path) cannot be read") }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { return try decoder.decode(Value.self, from: data) } catch {
            throw .file("\(path): no JSON of a tokenizer")
        }
    }

    /// tokenizer.json.
    private struct File: Codable {
        struct Added: Codable {
            let id: Int
            let content: String
            var singleWord = false, lstrip = false, rstrip = false, normalized = false
            let special: Bool
        }
        struct Kind: Codable { let type: String? }
        struct ByteLevel: Codable {
            var type = "ByteLevel"
            var addPrefixSpace: Bool? = false
            var trimOffsets: Bool? = true
            var useRegex: Bool? = true
        }
        /// "a b" in older files, ["a", "b"] in newer ones.
        struct Merge: Codable {
            let parts: [String]

            init(pair: [String]) { parts = pair }

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if let text = try? value.decode(String.self) {
                    parts = text.split(separator: " ").map { String($0) }
                } else {
                    parts = try value.decode([String].self)
                }
            }

            func encode(to encoder: any Encoder) throws {
                var value = encoder.singleValueContainer()
                try value.encode(parts)
            }

            var pair: (String, String) {
                get throws(ApusError) {
                    guard parts.count == 2 else { throw .file("a merge of \(parts.count) tokens, wanted 2") }
                    return (parts[0], parts[1])
                }
            }
        }
        struct Model: Codable {
            let type: String?
            let vocab: [String: Int]
            let merges: [Merge]
        }
        let version: String?
        let addedTokens: [Added]?
        let normalizer: Kind?
        let preTokenizer: ByteLevel?
        let decoder: ByteLevel?
        let model: Model
    }
}
