/// Text → the numbers of its tokens, and back.
public protocol Tokenizer: Sendable {
    /// Tokens are numbered 0 ..< `vocabularySize`.
    var vocabularySize: Int { get }

    func encode(_ text: String) -> [Int]

    /// The characters of a text that `encode` leaves out, each once.
    func missing(from text: String) -> String

    /// What a token adds to a text, in UTF-8, of which it may be a part of a character; nothing for a number outside of the
    /// vocabulary.
    ///
    /// - Parameter atStart: whether the text is empty so far.
    func bytes(of token: Int, atStart: Bool) -> [UInt8]
}

extension Tokenizer {
    public func missing(from text: String) -> String { "" }

    /// The text of tokens; numbers outside of the vocabulary are left out. What is no UTF-8 becomes U+FFFD.
    public func decode(_ tokens: [Int]) -> String {
        var bytes: [UInt8] = []
        for token in tokens { bytes += self.bytes(of: token, atStart: bytes.isEmpty) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
