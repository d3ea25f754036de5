import ApusGraph

/// A token for each character: Unicode scalars, numbered in a vocabulary's order.
public struct CharacterTokenizer: Tokenizer, Equatable {
    public let characters: [Unicode.Scalar]
    private let indices: [Unicode.Scalar: Int]

    public var vocabularySize: Int { characters.count }

    public init(characters: [Unicode.Scalar]) throws(ApusError) {
        var indices: [Unicode.Scalar: Int] = [:]
        for (i, character) in characters.enumerated() {
            guard character.value != 0 else { throw .argument("character U+0000 in a vocabulary, which a file cannot hold") }
            guard indices.updateValue(i, forKey: character) == nil else {
                throw .argument("character U+\(String(character.value, radix: 16, uppercase: true)) twice in a vocabulary")
            }
        }
        guard !characters.isEmpty else { throw .argument("a vocabulary without a character") }
        self.characters = characters
        self.indices = indices
    }

    /// Every character of a text, in the order of their numbers in Unicode.
    public init(fitting text: String) throws(ApusError) {
        try self.init(characters: Set(text.unicodeScalars.filter { $0.value != 0 }).sorted())
    }

    /// Characters that the vocabulary lacks are left out.
    public func encode(_ text: String) -> [Int] { text.unicodeScalars.compactMap { indices[$0] } }

    public func missing(from text: String) -> String {
        var seen: Set<Unicode.Scalar> = []
        return String(String.UnicodeScalarView(text.unicodeScalars.filter { indices[$0] == nil && seen.insert($0).inserted }))
    }

    public func bytes(of token: Int, atStart: Bool) -> [UInt8] {
        characters.indices.contains(token) ? Array(String(characters[token]).utf8) : []
    }

    // MARK: In a model's file

    static let type = "characters"
    private static let key = "tokenizer.characters"

    /// The characters one after another.
    public var metadata: [(key: String, value: String)] {
        [(TokenizerMetadata.type, CharacterTokenizer.type), (CharacterTokenizer.key, decode(Array(characters.indices)))]
    }

    init(metadata: [(key: String, value: String)]) throws(ApusError) {
        guard let text = metadata.first(where: { $0.key == CharacterTokenizer.key })?.value else {
            throw .file("a tokenizer of characters without '\(CharacterTokenizer.key)'")
        }
        try self.init(characters: Array(text.unicodeScalars))
    }
}
