import ApusGraph

/// A tokenizer that a model's file carries, so that one file is all that text needs: "tokenizer.type" and what that type says.
public enum TokenizerMetadata {
    public static let type = "tokenizer.type"

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
