import ApusGraph

/// The entries that converted checkpoints carry, too.
extension WordPieceTokenizer {
    static let type = "wordpiece"
    private enum Key {
        static let vocabulary = "tokenizer.vocabulary", lowercase = "tokenizer.lowercase", strips = "tokenizer.strip_accents"
        static let splits = "tokenizer.split_chinese", maximum = "tokenizer.max_tokens", special = "tokenizer.special"
    }

    /// The vocabulary, a piece a line; what is done to text as `1` or `0`; the length that a text is cut to; the special pieces, a
    /// line each, where they are not the usual ones.
    public var metadata: [(key: String, value: String)] {
        func flag(_ value: Bool) -> String { value ? "1" : "0" }
        return [
            (TokenizerMetadata.type, WordPieceTokenizer.type), (Key.lowercase, flag(options.lowercase)),
            (Key.strips, flag(options.stripsAccents)), (Key.splits, flag(options.splitsChinese)),
            (Key.maximum, "\(options.maximumTokens)"),
        ] + (isUsual ? [] : [(Key.special, special.joined(separator: "\n"))])
            + [(Key.vocabulary, vocabulary.joined(separator: "\n"))]
    }

    private var isUsual: Bool {
        special.sorted() == WordPieceTokenizer.specialNames.filter { vocabulary.contains($0) }.sorted()
    }

    init(metadata: [(key: String, value: String)]) throws(ApusError) {
        func value(_ key: String) -> String? { metadata.first { $0.key == key }?.value }
        var options = Options()
        options.lowercase = value(Key.lowercase) != "0"
        options.stripsAccents = value(Key.strips) != "0"
        options.splitsChinese = value(Key.splits) != "0"
        if let text = value(Key.maximum) {
            guard let count = Int(text) else { throw .file("\(Key.maximum) '\(text)', wanted a number") }
            options.maximumTokens = count
        }
        try self.init(vocabulary: value(Key.vocabulary)?.lines ?? [], special: value(Key.special)?.lines, options)
    }
}
