import ApusGraph

extension BytePairTokenizer {
    static let type = "bpe"
    private static let vocabularyKey = "tokenizer.vocabulary", mergesKey = "tokenizer.merges", specialKey = "tokenizer.special"

    /// A line each: the tokens in the order of their numbers; the merges, two tokens with a space between, in their order; the
    /// special tokens.
    public var metadata: [(key: String, value: String)] {
        [
            (TokenizerMetadata.type, BytePairTokenizer.type),
            (BytePairTokenizer.vocabularyKey, vocabulary.joined(separator: "\n")),
            (BytePairTokenizer.mergesKey, merges.map { "\($0.0) \($0.1)" }.joined(separator: "\n")),
            (BytePairTokenizer.specialKey, special.joined(separator: "\n")),
        ]
    }

    init(metadata: [(key: String, value: String)]) throws(ApusError) {
        func lines(_ key: String) -> [String] { metadata.first { $0.key == key }?.value.lines ?? [] }
        try self.init(
            vocabulary: lines(BytePairTokenizer.vocabularyKey),
            merges: try BytePairTokenizer.merges(lines(BytePairTokenizer.mergesKey)),
            special: lines(BytePairTokenizer.specialKey))
    }

    /// From lines of two tokens with a space between.
    static func merges(_ lines: [String]) throws(ApusError) -> [(String, String)] {
        var merges: [(String, String)] = []
        for line in lines {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false).map { String($0) }
            guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
                throw .argument("merge '\(line)', wanted two tokens with a space between")
            }
            merges.append((parts[0], parts[1]))
        }
        return merges
    }
}

extension String {
    /// Without their ends; text after the last end is a line too, unless it is empty. An end is a byte: "\r\n" is none.
    var lines: [String] {
        var parts = utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { String($0)! }
        if parts.last == "" { parts.removeLast() }
        return parts
    }

    /// The lines of a text file, whose ends are "\n" or "\r\n".
    var fileLines: [String] {
        lines.map { $0.utf8.last == UInt8(ascii: "\r") ? String(decoding: $0.utf8.dropLast(), as: UTF8.self) : $0 }
    }
}
