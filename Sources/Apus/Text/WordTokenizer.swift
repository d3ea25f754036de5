import ApusGraph

/// Words as indices: 0 is padding, 1 a word that is not in the vocabulary, and from 2 on the vocabulary, the most frequent word
/// first.
///
/// A word is a run of letters, numbers, marks on them and apostrophes, in lower case; everything else parts words. Words that look
/// alike are one, whether their marks are characters of their own or not.
///
///     let tokenizer = try WordTokenizer(fitting: texts, maximumWords: 10_000)
///     let ids = try tokenizer.encode(texts, length: 60)       // i32 [texts, 60]
///     network.metadata += tokenizer.metadata
public struct WordTokenizer: Tokenizer, Equatable {
    public static let padding = 0
    public static let unknown = 1

    /// That of index 2, 3, ….
    public let vocabulary: [String]
    private let indices: [String: Int]

    /// Words are numbered 0 ..< `vocabularySize`.
    public var vocabularySize: Int { vocabulary.count + 2 }

    public init(vocabulary: [String]) throws(ApusError) {
        self.vocabulary = vocabulary
        var indices: [String: Int] = [:]
        for (i, word) in vocabulary.enumerated() {
            guard WordTokenizer.words(word) == [word] else { throw .argument("'\(word)' in a vocabulary is no word") }
            guard indices.updateValue(i + 2, forKey: word) == nil else {
                throw .argument("'\(word)' comes twice in a vocabulary")
            }
        }
        self.indices = indices
    }

    /// The words that come most often in `texts`; of equally frequent ones the first in order of their bytes.
    ///
    /// - Parameter maximumWords: indices at most, the padding and the unknown word among them.
    public init(fitting texts: [String], maximumWords: Int) throws(ApusError) {
        guard maximumWords >= 2 else { throw .argument("a vocabulary of \(maximumWords) indices, wanted 2 or more") }
        var counts: [String: Int] = [:]
        for text in texts { for word in WordTokenizer.words(text) { counts[word, default: 0] += 1 } }
        let ordered = counts.sorted { a, b in
            a.value != b.value ? a.value > b.value : a.key.utf8.lexicographicallyPrecedes(b.key.utf8)
        }
        try self.init(vocabulary: ordered.prefix(maximumWords - 2).map { $0.key })
    }

    /// The words of a text.
    public static func words(_ text: String) -> [String] {
        text.unicodeScalars.flatMap { CharacterMaps.shared.lowercased($0) }
            .split { $0 != "'" && pieces[$0] > 1 && marks[$0] == 0 }
            .map { String(String.UnicodeScalarView($0)) }
    }

    private static let pieces = CharacterRuns(UnicodeTables.pieces), marks = CharacterRuns(UnicodeTables.marks)

    public func encode(_ text: String) -> [Int] {
        WordTokenizer.words(text).map { indices[$0] ?? WordTokenizer.unknown }
    }

    /// A word of the vocabulary, after a space unless it is the first.
    public func bytes(of token: Int, atStart: Bool) -> [UInt8] {
        2..<vocabularySize ~= token ? Array(((atStart ? "" : " ") + vocabulary[token - 2]).utf8) : []
    }

    /// Texts as rows of `length` indices, i32 [texts, length]: the first of a longer text, and padding after a shorter one.
    public func encode(_ texts: [String], length: Int) throws(ApusError) -> Tensor {
        guard length > 0 else { throw .argument("rows of \(length) indices, wanted 1 or more") }
        var rows: [Int32] = []
        rows.reserveCapacity(texts.count * length)
        for text in texts {
            let row = encode(text).prefix(length)
            rows += row.map { Int32(clamping: $0) }
            rows += repeatElement(Int32(WordTokenizer.padding), count: length - row.count)
        }
        return try Tensor(rows, shape: [texts.count, length])
    }

    // MARK: In a model's file

    static let type = "words"
    private static let key = "tokenizer.words"

    /// What keeps the vocabulary in a model's file: the words, a line each.
    public var metadata: [(key: String, value: String)] {
        [(TokenizerMetadata.type, WordTokenizer.type), (WordTokenizer.key, vocabulary.joined(separator: "\n"))]
    }

    init(metadata: [(key: String, value: String)]) throws(ApusError) {
        guard let value = metadata.first(where: { $0.key == WordTokenizer.key })?.value else {
            throw .file("a tokenizer of words without '\(WordTokenizer.key)'")
        }
        try self.init(vocabulary: value.split(separator: "\n").map { String($0) })
    }
}
