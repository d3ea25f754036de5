import ApusGraph

/// A tokenizer that a model's file carries, so that one file is all that text needs: "tokenizer.type" and what that type says.
public enum TokenizerMetadata {
    public static let type = "tokenizer.type"

    /// Of the tokens that end a text: their numbers, with a space between.
    public static let end = "tokenizer.end"

    /// The tokens that end a text; none where the file does not say.
    public static func endTokens(_ metadata: [(key: String, value: String)]) throws(ApusError) -> Set<Int> {
        var tokens: Set<Int> = []
        for text in metadata.first(where: { $0.key == end })?.value.split(separator: " ") ?? [] {
            guard let token = Int(text) else { throw .file("\(end) '\(text)', wanted numbers of tokens") }
            tokens.insert(token)
        }
        return tokens
    }

    /// Throws where a token cannot be a line of an entry.
    static func requireLines(_ vocabulary: [String]) throws(ApusError) {
        for (number, token) in vocabulary.enumerated() where token.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\n") }) {
            throw .unsupported("token \(number) \(token.debugDescription), wanted one without a line end and U+0000")
        }
    }

    /// nil where the file has none, or one of a type that is not known here.
    public static func read(_ metadata: [(key: String, value: String)]) throws(ApusError) -> (any Tokenizer)? {
        switch metadata.first(where: { $0.key == type })?.value {
        case CharacterTokenizer.type: try CharacterTokenizer(metadata: metadata)
        case BytePairTokenizer.type: try BytePairTokenizer(metadata: metadata)
        case WordPieceTokenizer.type: try WordPieceTokenizer(metadata: metadata)
        case WordTokenizer.type: try WordTokenizer(metadata: metadata)
        default: nil
        }
    }
}
