import ApusGraph

/// BERT's tokenizer: text is cleaned, Chinese characters are set apart, accents are stripped, letters made small, words
/// split at spaces and punctuation; then each word is the longest piece of the vocabulary that it begins with, and so on
/// with its rest. Wu et al.: Google's Neural Machine Translation System, 2016; Devlin et al.: BERT, 2018.
public struct WordPieceTokenizer: Tokenizer {
    public struct Options: Sendable, Equatable {
        public var lowercase = true
        public var stripsAccents = true
        public var splitsChinese = true
        /// That a text is cut to, [CLS] and [SEP] included.
        public var maximumTokens = 512

        public init() {}
    }

    /// Pieces in the order of their tokens; those that continue a word begin with "##".
    public let vocabulary: [String]
    public let options: Options
    /// Pieces that stand for themselves wherever a text has them.
    public let special: [String]

    static let specialNames = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    private static let longestWord = 100
    private static let classes = CharacterRuns(UnicodeTables.classes)
    private enum Class { static let space = 1, removed = 2, punctuation = 3, mark = 4, chinese = 5 }

    /// By their bytes: strings that are equal when composed are different pieces.
    private let starts, continuations: [[UInt8]: Int]
    private let longest: Int
    /// Longer ones first.
    private let names: [(name: [UInt8], token: Int)]
    private let unknown, first, last: Int

    public var vocabularySize: Int { vocabulary.count }

    /// Throws where the vocabulary lacks [UNK], [CLS], [SEP] or [PAD] or a special piece, or a piece has a line end or U+0000.
    ///
    /// - Parameter special: nil takes these four and [MASK], where the vocabulary has it.
    public init(
        vocabulary: [String], special: [String]? = nil, _ options: Options = Options()
    ) throws(ApusError) {
        guard options.maximumTokens >= 2 else {
            throw .argument("at most \(options.maximumTokens) tokens of a text, wanted 2 or more")
        }
        try TokenizerMetadata.requireLines(vocabulary)
        var starts: [[UInt8]: Int] = [:], continuations = starts, longest = 0
        for (token, piece) in vocabulary.enumerated() {
            let bytes = Array(piece.utf8), continues = bytes.starts(with: [35, 35])
            longest = max(longest, bytes.count)
            if continues { continuations[Array(bytes.dropFirst(2))] = token } else { starts[bytes] = token }
        }
        func token(_ name: String) throws(ApusError) -> Int {
            guard let token = starts[Array(name.utf8)] else {
                throw .argument("a vocabulary of \(vocabulary.count) pieces without \(name)")
            }
            return token
        }
        (unknown, first, last) = (try token("[UNK]"), try token("[CLS]"), try token("[SEP]"))
        _ = try token("[PAD]")
        self.vocabulary = vocabulary
        self.options = options
        self.starts = starts
        self.continuations = continuations
        self.longest = longest
        self.special = special ?? WordPieceTokenizer.specialNames.filter { starts[Array($0.utf8)] != nil }
        var names: [(name: [UInt8], token: Int)] = []
        for name in self.special where !name.isEmpty {
            let bytes = Array(name.utf8)
            guard let token = bytes.starts(with: [35, 35]) ? continuations[Array(bytes.dropFirst(2))] : starts[bytes] else {
                throw .argument("special piece \(name.debugDescription) is not in the vocabulary")
            }
            names.append((bytes, token))
        }
        self.names = names.sorted { $0.name.count > $1.name.count }
    }

    /// Whether no word of a text can have a piece: such a one has punctuation in it, at which text is split.
    static func isNoPiece(_ piece: String) -> Bool {
        let text = piece.hasPrefix("##") ? piece.unicodeScalars.dropFirst(2) : piece.unicodeScalars[...]
        return text.count > 1 && text.contains { classes[$0] == Class.punctuation }
    }

    /// [CLS], the text's pieces and [SEP]. Where the text has the name of a special token, it is that.
    public func encode(_ text: String) -> [Int] { [first] + pieces(text).prefix(options.maximumTokens - 2) + [last] }

    /// A piece, after a space where it begins a word that is not the first; special tokens are left out.
    public func bytes(of token: Int, atStart: Bool) -> [UInt8] {
        guard vocabulary.indices.contains(token), !names.contains(where: { $0.token == token }) else { return [] }
        let piece = vocabulary[token].utf8
        return piece.starts(with: "##".utf8) ? Array(piece.dropFirst(2)) : (atStart ? [] : [32]) + piece
    }

    /// The tokens of a text's pieces, without [CLS] and [SEP].
    public func pieces(_ text: String) -> [Int] {
        var tokens: [Int] = []
        let bytes = Array(text.utf8)
        var start = 0, place = 0
        func words(_ end: Int) { append(String(decoding: bytes[start..<end], as: UTF8.self), to: &tokens) }
        while place < bytes.count {
            guard let found = names.first(where: { bytes[place] == $0.name[0] && bytes[place...].starts(with: $0.name) })
            else {
                place += 1
                continue
            }
            words(place)
            tokens.append(found.token)
            place += found.name.count
            start = place
        }
        words(bytes.count)
        return tokens
    }

    private func append(_ text: String, to tokens: inout [Int]) {
        var clean: [Unicode.Scalar] = []
        for character in text.unicodeScalars {
            switch Int(WordPieceTokenizer.classes[character]) {
            case Class.removed: break
            case Class.space: clean.append(" ")
            case Class.chinese where options.splitsChinese: clean += [" ", character, " "]
            default: clean.append(character)
            }
        }
        if options.stripsAccents {
            clean = CharacterMaps.shared.decomposed(clean).filter { WordPieceTokenizer.classes[$0] != Class.mark }
        }
        if options.lowercase { clean = clean.flatMap { CharacterMaps.shared.lowercased($0) } }
        var word: [Unicode.Scalar] = []
        for character in clean + [" "] {
            let isApart = WordPieceTokenizer.classes[character] == Class.punctuation
            guard isApart || character == " " else {
                word.append(character)
                continue
            }
            append(word, to: &tokens)
            word = []
            if isApart { append([character], to: &tokens) }
        }
    }

    private func append(_ word: [Unicode.Scalar], to tokens: inout [Int]) {
        guard !word.isEmpty else { return }
        guard word.count <= WordPieceTokenizer.longestWord else { return tokens.append(unknown) }
        let bytes = word.flatMap { Array(UTF8.encode($0)!) }
        var found: [Int] = [], start = 0
        while start < bytes.count {
            let pieces = start == 0 ? starts : continuations
            var end = min(bytes.count, start + longest)
            var token: Int?
            while end > start {
                token = pieces[Array(bytes[start..<end])]
                if token != nil { break }
                end -= 1
            }
            guard let token else { return tokens.append(unknown) }
            found.append(token)
            start = end
        }
        tokens += found
    }
}
