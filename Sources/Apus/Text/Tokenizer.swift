/// Text → the numbers of its tokens, and back.
public protocol Tokenizer: Sendable {
    /// Tokens are numbered 0 ..< `vocabularySize`.
    var vocabularySize: Int { get }

    func encode(_ text: String) -> [Int]

    /// The text of tokens; numbers outside of the vocabulary are left out.
    func decode(_ tokens: [Int]) -> String
}
