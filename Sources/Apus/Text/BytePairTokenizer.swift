import ApusGraph

/// Byte-pair encoding of bytes, as GPT-2's: a word's bytes are tokens, of which the pair that was merged first in training
/// is merged as long as there is one. Sennrich, Haddow, Birch: Neural Machine Translation of Rare Words with Subword Units,
/// 2016; Radford et al., 2019. Any text has tokens, and `decode` gives it back.
public struct BytePairTokenizer: Tokenizer {
    /// Tokens in the order of their numbers, their bytes as the characters that stand for them.
    public let vocabulary: [String]
    /// Pairs of tokens in the order in which they are merged.
    public let merges: [(String, String)]
    /// Tokens that stand for themselves wherever a text has them, such as "<|endoftext|>".
    public let special: [String]

    private struct Pair: Hashable {
        let left, right: Int
    }

    private let numbers: [String: Int]
    private let ranks: [Pair: (rank: Int, token: Int)]
    /// Of each byte; −1 where the vocabulary has none.
    private let byteTokens: [Int]

    public var vocabularySize: Int { vocabulary.count }

    /// Throws where a token is there twice or has a line end or U+0000, which a file cannot hold, or a merge is of tokens that are
    /// not there.
    public init(
        vocabulary: [String], merges: [(String, String)], special: [String] = []
    ) throws(ApusError) {
        try TokenizerMetadata.requireLines(vocabulary)
        var numbers: [String: Int] = [:]
        for (number, token) in vocabulary.enumerated() where numbers.updateValue(number, forKey: token) != nil {
            throw .argument("token '\(token)' twice in a vocabulary")
        }
        var ranks: [Pair: (rank: Int, token: Int)] = [:]
        for (rank, merge) in merges.enumerated() {
            guard let left = numbers[merge.0], let right = numbers[merge.1], let token = numbers[merge.0 + merge.1] else {
                throw .argument("merge '\(merge.0) \(merge.1)' of tokens that the vocabulary does not have")
            }
            ranks[Pair(left: left, right: right)] = (rank, token)
        }
        for token in special where numbers[token] == nil {
            throw .argument("special token '\(token)' is not in the vocabulary")
        }
        self.vocabulary = vocabulary
        self.merges = merges
        self.special = special.filter { !$0.isEmpty }.sorted { $0.utf8.count > $1.utf8.count }
        self.numbers = numbers
        self.ranks = ranks
        byteTokens = ByteAlphabet.characters.map { numbers[String(Character($0))] ?? -1 }
    }

    public func encode(_ text: String) -> [Int] {
        var tokens: [Int] = []
        var known: [ArraySlice<Unicode.Scalar>: [Int]] = [:]
        for part in parts(text[...]) {
            if let number = part.special {
                tokens.append(number)
                continue
            }
            for word in WordSplitter.words(part.text) {
                if let merged = known[word] {
                    tokens += merged
                    continue
                }
                let merged = merged(word)
                known[word] = merged
                tokens += merged
            }
        }
        return tokens
    }

    public func bytes(of token: Int, atStart: Bool) -> [UInt8] {
        vocabulary.indices.contains(token) ? ByteAlphabet.bytes(vocabulary[token]) : []
    }

    private func parts(_ text: Substring) -> [(text: Substring, special: Int?)] {
        guard !special.isEmpty else { return [(text, nil)] }
        let bytes = Array(text.utf8), names = special.map { Array($0.utf8) }
        var parts: [(text: Substring, special: Int?)] = []
        var start = 0, place = 0
        func plain(_ end: Int) {
            if end > start { parts.append((Substring(String(decoding: bytes[start..<end], as: UTF8.self)), nil)) }
        }
        while place < bytes.count {
            guard let found = names.firstIndex(where: { bytes[place] == $0[0] && bytes[place...].starts(with: $0) }) else {
                place += 1
                continue
            }
            plain(place)
            parts.append(("", numbers[special[found]]!))
            place += names[found].count
            start = place
        }
        plain(bytes.count)
        return parts
    }

    private func merged(_ word: ArraySlice<Unicode.Scalar>) -> [Int] {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: word)
        var tokens = String(text).utf8.map { byteTokens[Int($0)] }.filter { $0 >= 0 }
        // Tokens that are left: those merged into the one before are −1.
        var previous = Array(-1..<max(0, tokens.count - 1)), next = Array(tokens.indices.dropFirst()) + [tokens.count]
        var candidates = Heap<Candidate>()
        func consider(_ place: Int) {
            guard place >= 0, next[place] < tokens.count else { return }
            let pair = Pair(left: tokens[place], right: tokens[next[place]])
            if let merge = ranks[pair] { candidates.push(Candidate(rank: merge.rank, place: place, pair: pair, token: merge.token)) }
        }
        for place in tokens.indices { consider(place) }
        while let best = candidates.pop() {
            let place = best.place, second = next[place]
            guard second < tokens.count, tokens[place] == best.pair.left, tokens[second] == best.pair.right else { continue }
            tokens[place] = best.token
            tokens[second] = -1
            next[place] = next[second]
            if next[place] < tokens.count { previous[next[place]] = place }
            consider(previous[place])
            consider(place)
        }
        return tokens.filter { $0 >= 0 }
    }

    /// A pair that was in a word when it was found.
    private struct Candidate: Comparable {
        let rank, place: Int
        let pair: Pair
        let token: Int

        static func < (a: Candidate, b: Candidate) -> Bool { (a.rank, a.place) < (b.rank, b.place) }
    }
}
